// The slow path of get_runtime_args: any input, every message.
#pragma once

#include <pybind11/pybind11.h>

#include "quantmap/mapping/launch.hpp"

namespace quantmap::bindings {

[[nodiscard]] pybind11::dict runtime_args(const LaunchRequest& request);

}  // namespace quantmap::bindings
