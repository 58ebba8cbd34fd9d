#include "report.hpp"

#include "convert.hpp"
#include "quantmap/results/launches.hpp"
#include "results.hpp"

namespace quantmap::bindings {

namespace {

constexpr int kWarningLevel = 30;  // logging.WARNING

// Imported at the first warning, so that importing quantmap does not import logging.
py::handle logger() {
  static constinit Once kept;
  return kept.get([] { return call(import("logging").attr("getLogger"), "quantmap"); });
}

py::handle level_and_name() {
  static constinit Once kept;
  return kept.get([] { return make_tuple("isEnabledFor", kWarningLevel); });
}

}  // namespace

py::object to_python(const Diagnostic& diagnostic) { return to_result(diagnostic); }

py::list to_python(const Diagnostics& diagnostics) { return to_result(diagnostics); }

void raise_config_error(const Diagnostics& diagnostics) {
  py::list errors;
  for (const Diagnostic& diagnostic : diagnostics.all()) {
    if (diagnostic.text().severity == Severity::kError) errors.append(to_python(diagnostic));
  }
  const py::object type = import("quantmap.errors").attr("ConfigError");
  PyErr_SetObject(type.ptr(), call(type, errors).ptr());
  throw_python_error();
}

bool logs_warnings() {
  PyObject* call[] = {logger().ptr(), PyTuple_GET_ITEM(level_and_name().ptr(), 1)};
  PyObject* answer = PyObject_VectorcallMethod(PyTuple_GET_ITEM(level_and_name().ptr(), 0), call, 2, nullptr);
  if (answer == nullptr) throw_python_error();
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
    (void)call(logger().attr(severity == Severity::kError ? "error" : "warning"), diagnostic.message());
  }
}

}  // namespace quantmap::bindings
