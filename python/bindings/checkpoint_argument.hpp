// The `checkpoint` argument of calls: a path, a config, or what was inspected before.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>

#include "quantmap/base/value.hpp"
#include "quantmap/model/checkpoint.hpp"

namespace quantmap::bindings {

// A path-like object is its path.
[[nodiscard]] Value to_checkpoint_value(const pybind11::object& object);

// Files that were inspected already are not read again.
void read_checkpoint_argument(const pybind11::object& object, Value& checkpoint,
                              std::shared_ptr<const Checkpoint>& inspected);

}  // namespace quantmap::bindings
