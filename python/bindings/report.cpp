#include "report.hpp"

#include <pybind11/gil_safe_call_once.h>

#include "convert.hpp"
#include "quantmap/results/launches.hpp"
#include "results.hpp"

namespace quantmap::bindings {

namespace {

constexpr int kWarningLevel = 30;  // logging.WARNING

const py::object& errors_module() {
  PYBIND11_CONSTINIT static py::gil_safe_call_once_and_store<py::object> storage;
  return storage.call_once_and_store_result([] { return py::object(py::module_::import("quantmap.errors")); })
      .get_stored();
}

// Imported at the first warning, so that importing quantmap does not import logging.
const py::object& logger() {
  PYBIND11_CONSTINIT static py::gil_safe_call_once_and_store<py::object> storage;
  return storage
      .call_once_and_store_result(
          [] { return py::object(py::module_::import("logging").attr("getLogger")("quantmap")); })
      .get_stored();
}

const py::object& level_and_name() {
  PYBIND11_CONSTINIT static py::gil_safe_call_once_and_store<py::object> storage;
  return storage
      .call_once_and_store_result(
          [] { return py::object(py::make_tuple(py::str("isEnabledFor"), py::int_(kWarningLevel))); })
      .get_stored();
}

}  // namespace

py::object to_python(const Diagnostic& diagnostic) { return to_result(diagnostic); }

py::list to_python(const Diagnostics& diagnostics) { return to_result(diagnostics); }

void raise_config_error(const Diagnostics& diagnostics) {
  py::list errors;
  for (const Diagnostic& diagnostic : diagnostics.all()) {
    if (diagnostic.text().severity == Severity::kError) errors.append(to_python(diagnostic));
  }
  const py::object type = errors_module().attr("ConfigError");
  PyErr_SetObject(type.ptr(), type(errors).ptr());
  throw py::error_already_set();
}

bool logs_warnings() {
  PyObject* call[] = {logger().ptr(), PyTuple_GET_ITEM(level_and_name().ptr(), 1)};
  PyObject* answer = PyObject_VectorcallMethod(PyTuple_GET_ITEM(level_and_name().ptr(), 0), call, 2, nullptr);
  if (answer == nullptr) throw py::error_already_set();
  const bool enabled = answer == Py_True;
  Py_DECREF(answer);
  return enabled;
}

void log_warnings(const Diagnostics& diagnostics) {
  bool any = false;
  for (const Diagnostic& diagnostic : diagnostics.all()) any |= diagnostic.text().severity != Severity::kInfo;
  if (!any || !logs_warnings()) return;
  for (const Diagnostic& diagnostic : diagnostics.all()) {
    const Severity severity = diagnostic.text().severity;
    if (severity == Severity::kInfo) continue;
    logger().attr(severity == Severity::kError ? "error" : "warning")(text(diagnostic.message()));
  }
}

}  // namespace quantmap::bindings
