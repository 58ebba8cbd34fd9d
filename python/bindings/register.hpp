// One registration function for each noun.
#pragma once

#include "objects.hpp"

namespace quantmap::bindings {

void register_catalog(py::handle module);
void register_check(py::handle module);
void register_checkpoint(py::handle module);
void register_config(py::handle module);
void register_fit(py::handle module);
void register_hardware(py::handle module);
void register_kernels(py::handle module);
void register_launch(py::handle module);
void register_numerics(py::handle module);
void register_plan(py::handle module);
void register_rules(py::handle module);
void register_fast_call(py::handle module);

}  // namespace quantmap::bindings
