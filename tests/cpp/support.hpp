// What the tests share: JSON written in place as a Value, and diagnostics as text.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "quantmap/base/json_io.hpp"
#include "quantmap/config/resolve.hpp"
#include "quantmap/mapping/launch.hpp"

namespace doctest {

// How a failed check shows a list of texts.
template <>
struct StringMaker<std::vector<std::string>> {
  static String convert(const std::vector<std::string>& texts) {
    std::string out;
    for (const std::string& text : texts) out += (out.empty() ? "" : ", ") + text;
    return ("[" + out + "]").c_str();
  }
};

}  // namespace doctest

namespace quantmap::testing {

using Texts = std::vector<std::string>;

inline Value json(std::string_view text) {
  Diagnostics problems;
  const auto value = read_json(text, Path("$"), problems);
  REQUIRE_MESSAGE(value.has_value(), std::string(text));
  return *value;
}

// "code path" of everything with that severity, in order.
inline Texts listed(const Diagnostics& diagnostics, Severity severity) {
  Texts out;
  for (const Diagnostic& item : diagnostics.all()) {
    if (item.text().severity == severity) out.push_back(std::string(item.text().code) + " " + item.path);
  }
  return out;
}

inline Texts errors(const Diagnostics& diagnostics) { return listed(diagnostics, Severity::kError); }
inline Texts warnings(const Diagnostics& diagnostics) { return listed(diagnostics, Severity::kWarning); }

// What is wrong with a config given as JSON text.
inline Texts config_errors(std::string_view text) {
  Diagnostics problems;
  const auto config = resolve(json(text), Path("$"), problems);
  CHECK(config.has_value() == errors(problems).empty());
  return errors(problems);
}

inline Config config(std::string_view text) {
  Diagnostics problems;
  const auto out = resolve(json(text), Path("$"), problems);
  REQUIRE_MESSAGE(out.has_value(), std::string(text));
  return *out;
}

// The arguments on one line, variables as NAME=value.
inline std::string line(const Mapping& mapping) {
  std::string out;
  for (const Argument& argument : mapping.arguments) {
    if (!out.empty()) out += ' ';
    out += argument.flag + (argument.kind == ChannelKind::kEnv ? "=" : " ") + to_text(argument.value);
  }
  return out;
}

}  // namespace quantmap::testing
