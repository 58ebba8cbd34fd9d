// The extension module: nothing but registrations.
#include "register.hpp"

PYBIND11_MODULE(_core, module, pybind11::mod_gil_not_used()) {
  using namespace quantmap::bindings;
  module.doc() = "The compiled core of quantmap. Use the functions of the package quantmap instead.";
  module.attr("__version__") = QUANTMAP_VERSION;
  register_catalog(module);
  register_check(module);
  register_checkpoint(module);
  register_config(module);
  register_fit(module);
  register_hardware(module);
  register_launch(module);
  register_numerics(module);
  register_plan(module);
  register_rules(module);
  register_fast_call(module);
}
