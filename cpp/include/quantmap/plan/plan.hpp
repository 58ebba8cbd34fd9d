// A comparison task reduced to the experiments that really differ.
//
// The points of a task are the product of its axes: presets, fields of the config, user parameters. There can be more
// of them than anybody could enumerate, so nothing here does. The config side folds to classes of equal derived
// launches (grid.hpp); the parameters act on each flag by itself; so a launch is a class and, for each flag that
// parameters name, a value. Counting is sums of products over classes, and the n-th experiment is found by division.
//
// One thing couples the two sides: where a parameter may be left out (null), the value that the config derives shows
// through. Classes that differ only in such values share the experiments in which the parameter hides the difference.
// For each class we note which subsets of shown-through values no earlier class has: those are its own experiments.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "quantmap/base/diagnostic.hpp"
#include "quantmap/base/interrupt.hpp"
#include "quantmap/base/value.hpp"
#include "quantmap/mapping/map.hpp"
#include "quantmap/mapping/request.hpp"

namespace quantmap {

using Count = std::uint64_t;
inline constexpr Count kMostPoints = 9'223'372'036'854'775'807;  // 2^63 - 1: what a signed 64-bit index can name

// a * b, or nothing when it is more than kMostPoints.
[[nodiscard]] std::optional<Count> product(Count a, Count b);

struct PlanRequest : DeploymentRequest {
  Value task;
  Value engines;  // null, or a list of engine@version
  Value policy;   // null: as in LaunchRequest, for each target
  std::string default_policy;
  Interrupt interrupt;  // when somebody wants the work to end, there is no plan
};

// Points that are left out for one cause.
struct Skip {
  Diagnostic cause;
  Count count = 0;
  const Engine* engine = nullptr;  // of the example, the first of these points
  Value config;
  Value parameters;
};

// One launch that the task asks for, and what it stands for.
struct Experiment {
  Count index = 0;
  const Engine* engine = nullptr;
  Deployment deployment;
  std::vector<Argument> arguments;  // flags and variables, in launch order
  std::vector<LaunchFile> files;
  std::string signature;
  std::uint64_t group = 0;
  Count points = 0;
  Value config;      // of its first point
  Value parameters;  // likewise
};

// The configs that an experiment stands for, with the number of points of the config side that each counts for.
struct Group {
  const Engine* engine = nullptr;
  Deployment deployment;
  std::vector<std::pair<Value, Count>> configs;
};

struct PlanTarget {
  const Engine* engine = nullptr;
  Deployment deployment;
  Count repeats = 1;  // how often the same engine and release were asked for
};

class TargetPlan;  // what one target contributes; plan/part.hpp
struct Task;
struct ModelQuantization;
enum class Policy : std::uint8_t;

class Plan {
 public:
  // Nothing when `problems` got an error.
  [[nodiscard]] static std::optional<Plan> make(const PlanRequest& request, Diagnostics& problems);

  [[nodiscard]] Count asked() const noexcept { return asked_; }
  [[nodiscard]] Count distinct() const noexcept { return distinct_; }
  [[nodiscard]] Count skipped() const noexcept { return skipped_; }
  [[nodiscard]] Count merged() const noexcept { return asked_ - distinct_ - skipped_; }
  // How many experiments are iterated: all, or the task's max_iterations.
  [[nodiscard]] Count size() const noexcept;
  [[nodiscard]] std::optional<Count> max_iterations() const noexcept;
  [[nodiscard]] const Value& name() const noexcept;
  [[nodiscard]] const std::vector<PlanTarget>& targets() const noexcept { return targets_; }
  [[nodiscard]] const std::vector<Skip>& skips() const noexcept { return skips_; }
  [[nodiscard]] const Diagnostics& diagnostics() const noexcept { return diagnostics_; }

  // What varies or is given: "preset", the keys of the config, the parameters; each once.
  [[nodiscard]] std::vector<std::string> axes() const;
  [[nodiscard]] Experiment experiment(Count index) const;  // index < distinct()
  [[nodiscard]] Group group(std::uint64_t id) const;
  // Appends JSON lines of the experiments from `begin` until `end` or until `out` has so many bytes; returns where to
  // go on. A group stands before the first experiment that may be of it.
  enum class Groups : std::uint8_t { kNone, kAll, kContinue };  // kContinue: those of `begin` have been written
  Count write_lines(Count begin, Count end, std::size_t bytes, Groups groups, std::string& out) const;
  // The same for the signatures alone, one after the other.
  Count write_signatures(Count begin, Count end, std::size_t bytes, std::string& out) const;

 private:
  Plan() = default;
  bool add_part(const PlanTarget& target, const ModelQuantization& model, Policy policy, const Interrupt& interrupt,
                Diagnostics& problems);
  template <typename Write>
  Count walk(Count begin, Count end, std::size_t bytes, const std::string& out, const Write& write) const;

  // The experiment that a number stands for: under a limit they are spread over all of them, not the first ones.
  [[nodiscard]] Count spread(Count index) const noexcept;

  std::shared_ptr<const Task> task_;                // as it was given
  std::vector<std::shared_ptr<const Task>> tasks_;  // by target: with its parallel sizes
  std::vector<PlanTarget> targets_;
  std::vector<std::shared_ptr<const TargetPlan>> parts_;  // by target
  std::vector<Count> begins_;                             // first experiment of each part
  std::vector<std::uint64_t> group_begins_;
  std::vector<Skip> skips_;
  Diagnostics diagnostics_;
  Count asked_ = 0;
  Count distinct_ = 0;
  Count skipped_ = 0;
};

}  // namespace quantmap
