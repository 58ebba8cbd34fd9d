#include "objects.hpp"

namespace quantmap::bindings {

void throw_python_error() { throw py::error_already_set(); }

py::object take(PyObject* returned) {
  if (returned == nullptr) throw_python_error();
  return py::reinterpret_steal<py::object>(returned);
}

py::object none() { return py::none(); }

std::string utf8(py::handle text) {
  if (PyUnicode_Check(text.ptr()) == 0) {
    throw py::type_error(std::string("expected a str, not ") + Py_TYPE(text.ptr())->tp_name);
  }
  Py_ssize_t size = 0;
  const char* data = PyUnicode_AsUTF8AndSize(text.ptr(), &size);
  if (data == nullptr) throw_python_error();
  return {data, static_cast<std::size_t>(size)};
}

py::object to_object(bool value) { return py::bool_(value); }
py::object to_object(double value) { return take(PyFloat_FromDouble(value)); }
py::object to_object(long long value) { return take(PyLong_FromLongLong(value)); }
py::object to_object(unsigned long long value) { return take(PyLong_FromUnsignedLongLong(value)); }
py::object to_object(std::string_view value) {
  return take(PyUnicode_FromStringAndSize(value.data(), static_cast<Py_ssize_t>(value.size())));
}
py::object to_object(const char* value) { return to_object(std::string_view(value)); }

py::object tuple_of(std::span<py::object> items) {
  py::object out = take(PyTuple_New(static_cast<Py_ssize_t>(items.size())));
  Py_ssize_t at = 0;
  for (py::object& item : items) PyTuple_SET_ITEM(out.ptr(), at++, item.release().ptr());
  return out;
}

py::object call(py::handle function, std::span<const py::object> arguments) {
  static_assert(sizeof(py::object) == sizeof(PyObject*), "an object is the pointer that it holds");
  auto* const* given = reinterpret_cast<PyObject* const*>(arguments.data());
  return take(PyObject_Vectorcall(function.ptr(), given, arguments.size(), nullptr));
}

py::object import(const char* module) { return take(PyImport_ImportModule(module)); }

py::handle Once::keep(py::object made) {
  PyObject* known = nullptr;
  if (!kept_.compare_exchange_strong(known, made.ptr(), std::memory_order_acq_rel)) return known;
  return made.release();
}

}  // namespace quantmap::bindings
