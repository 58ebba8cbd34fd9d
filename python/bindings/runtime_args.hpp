// The slow path of get_runtime_args: any input, every message.
#pragma once

#include "objects.hpp"

#include "quantmap/mapping/launch.hpp"

namespace quantmap::bindings {

[[nodiscard]] py::dict runtime_args(const LaunchRequest& request);

}  // namespace quantmap::bindings
