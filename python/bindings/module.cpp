// The extension module: nothing but registrations.
#include <pybind11/pybind11.h>

#include "register.hpp"

// What errors of the other files are written with.
template std::string pybind11::handle::cast<std::string>() const;

PYBIND11_MODULE(_registered, module, pybind11::mod_gil_not_used()) {
  using namespace quantmap::bindings;
  module.doc() = "The compiled core of quantmap. Use the functions of the package quantmap instead.";
  module.attr("__version__") = QUANTMAP_VERSION;
  register_catalog(module);
  register_check(module);
  register_checkpoint(module);
  register_config(module);
  register_fit(module);
  register_hardware(module);
  register_kernels(module);
  register_launch(module);
  register_numerics(module);
  register_plan(module);
  register_rules(module);
  register_fast_call(module);
}

// pybind11 takes the lock of the main interpreter, so in another one it would wait for ever: told before it is entered.
extern "C" PYBIND11_EXPORT PyObject* PyInit__core() {
  if (PyInterpreterState_Get() != PyInterpreterState_Main()) {
    PyErr_SetString(PyExc_ImportError, "quantmap serves the main interpreter only, not subinterpreters");
    return nullptr;
  }
  return PyInit__registered();
}
