// pybind11's objects, for all files but module.cpp. The rest of pybind11 (functions, classes, casts) compiles its
// machinery into every file that includes it, two seconds each; what of it is needed here is a row of a table
// (function.hpp), or below.
#pragma once

#include <pybind11/gil_simple.h>
#include <pybind11/pytypes.h>

#include <atomic>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace quantmap::bindings {

namespace py = pybind11;

// Throws what Python has raised. Thrown elsewhere, it would bring what formats it along.
[[noreturn]] void throw_python_error();

// What a function of Python returned; null means that it raised.
[[nodiscard]] py::object take(PyObject* returned);
[[nodiscard]] py::object none();
// The text of a str.
[[nodiscard]] std::string utf8(py::handle text);

[[nodiscard]] py::object to_object(bool value);
[[nodiscard]] py::object to_object(double value);
[[nodiscard]] py::object to_object(long long value);
[[nodiscard]] py::object to_object(unsigned long long value);
[[nodiscard]] py::object to_object(std::string_view value);
[[nodiscard]] py::object to_object(const char* value);
[[nodiscard]] inline py::object to_object(const std::string& value) { return to_object(std::string_view(value)); }
[[nodiscard]] inline py::object to_object(py::object value) { return value; }
template <class Number>
  requires std::is_integral_v<Number>
[[nodiscard]] py::object to_object(Number value) {
  if constexpr (std::is_signed_v<Number>) {
    return to_object(static_cast<long long>(value));
  } else {
    return to_object(static_cast<unsigned long long>(value));
  }
}
// A value, or None.
template <class Item>
[[nodiscard]] py::object to_object(const std::optional<Item>& value) {
  return value ? to_object(*value) : none();
}

[[nodiscard]] py::object tuple_of(std::span<py::object> items);
template <class... Items>
[[nodiscard]] py::object make_tuple(const Items&... items) {
  std::array<py::object, sizeof...(Items)> made{to_object(items)...};
  return tuple_of(made);
}

// What a function gives for these arguments.
[[nodiscard]] py::object call(py::handle function, std::span<const py::object> arguments);
template <class... Items>
[[nodiscard]] py::object call(py::handle function, const Items&... items) {
  const std::array<py::object, sizeof...(Items)> made{to_object(items)...};
  return call(function, std::span<const py::object>(made));
}
[[nodiscard]] py::object import(const char* module);

// An object that is made at its first use and kept for good. Threads may make it side by side; the first is kept, and
// nobody waits for another with Python's lock in hand.
class Once {
 public:
  template <class Make>
  py::handle get(Make make) {
    PyObject* known = kept_.load(std::memory_order_acquire);
    return known != nullptr ? py::handle(known) : keep(make());
  }

 private:
  py::handle keep(py::object made);
  std::atomic<PyObject*> kept_{nullptr};
};

}  // namespace quantmap::bindings
