// Command lines of clouds that start a container, and what they call its parts.
#pragma once

#include <string_view>

#include "quantmap/catalog/rows.hpp"

namespace quantmap {

struct HostProgram {
  std::string_view name;
  bool commas;  // stand between the words of a value
};

struct Hosts {
  Rows<HostProgram> programs;
  Rows<std::string_view> image;  // options, by what they are for
  Rows<std::string_view> arguments;
  Rows<std::string_view> program;
  Rows<std::string_view> line;
  Rows<std::string_view> variables;
};

[[nodiscard]] const Hosts& hosts() noexcept;

}  // namespace quantmap
