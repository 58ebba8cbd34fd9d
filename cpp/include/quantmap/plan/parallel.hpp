// A task's parallel_config as parameters of an engine.
#pragma once

#include <vector>

#include "quantmap/plan/task.hpp"

namespace quantmap {

// One axis for each size, named by the engine's flag; a size that says nothing (one GPU) leaves the flag out. A key
// that the engine has no flag for is an error, unless its values say nothing.
[[nodiscard]] std::vector<TaskAxis> parallel_axes(const Value& config, const Engine& engine, const Path& path,
                                                  Diagnostics& problems);

// The task with its parallel sizes as parameters, before its own ones: those win.
[[nodiscard]] Task with_parallel(Task task, const Engine& engine, Diagnostics& problems);

}  // namespace quantmap
