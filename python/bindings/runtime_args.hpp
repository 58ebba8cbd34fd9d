// The slow path of get_runtime_args: any input, every message.
#pragma once

#include <pybind11/pybind11.h>

#include <string>

#include "quantmap/mapping/launch.hpp"

namespace quantmap::bindings {

// The versions named by the environment when the module was imported.
[[nodiscard]] const std::string& default_versions();

// The GPU named by the environment when the module was imported.
[[nodiscard]] const std::string& default_gpu();
[[nodiscard]] const std::string& default_policy();
// The folder that keeps models by id on this machine, by the environment when the module was imported.
[[nodiscard]] const std::string& model_cache();

[[nodiscard]] pybind11::dict runtime_args(const LaunchRequest& request);

}  // namespace quantmap::bindings
