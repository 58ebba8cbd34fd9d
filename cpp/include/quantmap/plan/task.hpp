// The autotuner's task: which launches it asks for, as axes whose product are the points.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quantmap/base/diagnostic.hpp"
#include "quantmap/base/value.hpp"
#include "quantmap/config/config.hpp"

namespace quantmap {

// The key of a task that holds parallel sizes.
inline constexpr std::string_view kParallelKey = "parallel_config";

// One axis: a key and the values it takes, one after the other. A key with a single value is an axis of one.
struct TaskAxis {
  std::string path;  // "$.quant_config.gemm_dtype"
  std::string key;
  FieldId field = kNoField;  // of a config axis that is not the presets
  std::vector<Value> values;
  bool is_list = false;
  bool may_be_method = false;        // of an experiment matrix: a preset's place may hold a method
  std::vector<std::string> engines;  // of an experiment matrix: the engines it is for; empty: all

  // "$.quant_config.gemm_dtype[1]", or the axis' own path when it is no list.
  [[nodiscard]] std::string path_of(std::size_t index) const;
  [[nodiscard]] bool is_for(const Engine& engine) const;
};

// Axes stand in the order in which they vary, the last fastest: presets, fields, parameters.
struct Task {
  Value name;
  Value runtime;
  Value image_tag;
  Value model;
  Value benchmark;
  Value parallel;                 // parallel sizes as given: their flags are the engine's
  std::vector<TaskAxis> presets;  // none or one; after an experiment matrix one for each dimension of presets
  std::vector<TaskAxis> fields;
  std::vector<TaskAxis> parameters;
  Value config = Value::object();  // as given, without its wrapper
  std::string config_path = "$";
  std::vector<std::string> sections;  // of the unified form that are given, even if empty
  std::vector<std::string> nulls;     // fields and sections given as null: they say nothing, but are keys of their form
  std::optional<std::uint64_t> max_iterations;
  bool has_matrix = false;                  // an experiment matrix gives the axes of the config
  bool matrix_for_all = false;              // some dimension of the matrix is for every engine
  std::vector<std::string> matrix_engines;  // engines that its dimensions name
};

// Nothing when `problems` got an error. What is merely odd (a key that nobody reads) is a warning there. Values of axes
// are not judged: one bad value is a skipped point, not a bad task.
[[nodiscard]] std::optional<Task> read_task(const Value& input, Diagnostics& problems);

// The same for whoever maps its launches one after the other: an experiment matrix is read by the planner alone.
[[nodiscard]] std::optional<Task> read_launch_task(const Value& input, Diagnostics& problems);

}  // namespace quantmap
