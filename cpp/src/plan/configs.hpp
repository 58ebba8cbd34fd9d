// The config side of a plan: presets and fields as axes, their values judged one by one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "quantmap/mapping/grid.hpp"
#include "quantmap/plan/plan.hpp"
#include "quantmap/plan/task.hpp"

namespace quantmap {

// A value of an axis that is used: where it stands first, and how often it stands there.
struct ConfigValue {
  Value value;  // null: left out
  std::size_t index = 0;
  Count weight = 0;
  std::int64_t option = -1;  // of a four-field field
};

// A value, or a combination, that is no config: its points are skipped.
struct BadConfig {
  Diagnostic cause;
  Count points = 0;  // of the config side
  Value example;     // the config of the first of them
};

// The combinations of valid values, numbered in the order of their first points.
class ConfigSpace {
 public:
  // Reports too many points or combinations.
  ConfigSpace(const Task& task, const Engine& engine, Diagnostics& problems);

  [[nodiscard]] Count total() const noexcept { return total_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }  // combinations
  [[nodiscard]] const std::vector<BadConfig>& bad() const noexcept { return bad_; }
  [[nodiscard]] Count weight(std::size_t combination) const;
  // As get_runtime_args would take it.
  [[nodiscard]] Value config(std::size_t combination) const;
  // A path in that config as a path in the task: to the element of a list where one is meant.
  [[nodiscard]] std::string path_in_task(const std::string& path, std::size_t combination) const;
  // The combination in the four-field grid; nothing when its preset has the other form.
  [[nodiscard]] std::optional<Grid::Options> options(std::size_t combination) const;

 private:
  struct Axis {
    const TaskAxis* task = nullptr;
    std::vector<ConfigValue> values;
    Count total = 0;
    Count good = 0;
    std::vector<std::pair<std::size_t, Diagnostic>> bad;  // index in the task's axis
  };

  Axis read_axis(const TaskAxis& axis) const;
  [[nodiscard]] static std::optional<Diagnostic> preset_problem(const TaskAxis& axis, const Value& preset);
  void collect_bad();
  [[nodiscard]] std::size_t digit(std::size_t combination, std::size_t axis) const;
  [[nodiscard]] Value build(const std::vector<const Value*>& values) const;

  [[nodiscard]] static Grid::Options options_of(const Config& config);

  const Task& task_;
  Grid::Options defaults_;  // of a config that says nothing
  std::vector<Axis> axes_;  // presets first, if any
  bool has_presets_ = false;
  bool four_field_ = true;  // every field axis is
  std::vector<BadConfig> bad_;
  std::vector<std::size_t> strides_;
  Count total_ = 1;
  std::size_t size_ = 1;
};

}  // namespace quantmap
