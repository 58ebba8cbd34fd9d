// One registration function for each noun.
#pragma once

#include <pybind11/pybind11.h>

namespace quantmap::bindings {

void register_catalog(pybind11::module_& module);
void register_check(pybind11::module_& module);
void register_checkpoint(pybind11::module_& module);
void register_config(pybind11::module_& module);
void register_fit(pybind11::module_& module);
void register_hardware(pybind11::module_& module);
void register_launch(pybind11::module_& module);
void register_numerics(pybind11::module_& module);
void register_plan(pybind11::module_& module);
void register_rules(pybind11::module_& module);
void register_fast_call(pybind11::module_& module);

}  // namespace quantmap::bindings
