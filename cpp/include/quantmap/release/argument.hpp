// An argument of a launch: a flag, a variable or a place in a file, with its value.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "quantmap/catalog/catalog.hpp"

namespace quantmap {

// bool: a bare switch; integer: a size that keeps its type in map_to_*; text: everything else.
using ArgumentValue = std::variant<bool, std::int64_t, std::string>;

struct Argument {
  std::string flag;
  ArgumentValue value;
  FieldId from = kNoField;  // kNoField: a user parameter
  ChannelKind kind = ChannelKind::kFlag;
  std::string_view instead{};  // not empty: no release accepts it; what the engine takes
  std::string_view at{};       // place inside a JSON value or a file
  std::string_view through{};  // the flag that names the file
  bool is_null = false;
  bool open = false;     // of a line: a shell puts in some of it, which is not known
  bool perhaps = false;  // of a line: some branch of its script adds it
  std::string inside{};  // the settings in the file that it names, as JSON, when they were read
};

// A file that the launch needs: a relative name and its text.
struct LaunchFile {
  std::string name;
  std::string text;
  std::string through{};  // the flag that names it
};

[[nodiscard]] std::string to_text(const ArgumentValue& value);

}  // namespace quantmap
