// Arguments of calls that say what is served where; a checkpoint is a path, a config, or what was inspected before.
#pragma once

#include "objects.hpp"

#include <string>

#include "quantmap/base/value.hpp"
#include "quantmap/mapping/request.hpp"

namespace quantmap::bindings {

// The versions named by the environment when the module was imported.
[[nodiscard]] const std::string& default_versions();

// The GPU named by the environment when the module was imported.
[[nodiscard]] const std::string& default_gpu();
[[nodiscard]] const std::string& default_policy();
// The folder that keeps models by id on this machine, by the environment when the module was imported.
[[nodiscard]] const std::string& model_cache();

// A path-like object is its path.
[[nodiscard]] Value to_checkpoint_value(const py::object& object);

// Files that were inspected already are not read again.
void read_checkpoint_argument(const py::object& object, DeploymentRequest& request);

// The part that every request has, with the defaults of the environment.
void read_where(const py::object& model_quantization, const py::object& engine_version, const py::object& gpu,
                const py::object& checkpoint, DeploymentRequest& request);

}  // namespace quantmap::bindings
