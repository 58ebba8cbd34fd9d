// Python objects to core values and back. Translation only: what is right is the core's business.
#pragma once

#include "objects.hpp"

#include <string>
#include <vector>

#include "quantmap/base/value.hpp"
#include "quantmap/release/argument.hpp"

namespace quantmap::bindings {

// Any object, as far as it is JSON-like; the rest is marked foreign or broken. Never raises for bad input.
[[nodiscard]] Value to_core(py::handle object);

// A GPU argument: "local" becomes what this machine reports, everything else is taken as it is.
[[nodiscard]] Value gpu_to_core(py::handle gpu);

[[nodiscard]] py::object to_python(const Value& value);
[[nodiscard]] py::object to_python(const ArgumentValue& value);
// As a value of get_runtime_args: text, or True and False.
[[nodiscard]] py::object to_argument(const ArgumentValue& value);
[[nodiscard]] py::str text(std::string_view value);
// None for "".
[[nodiscard]] inline py::object or_none(std::string_view value) {
  return value.empty() ? none() : py::object(text(value));
}

// A list of str from any range of texts.
template <typename Items>
[[nodiscard]] py::list texts(const Items& items) {
  py::list out;
  for (const auto& item : items) out.append(text(item));
  return out;
}

}  // namespace quantmap::bindings
