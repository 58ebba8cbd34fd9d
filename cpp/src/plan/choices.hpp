// The parameter side of a plan: what the axes of user parameters do to each flag.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "quantmap/base/digest.hpp"
#include "quantmap/mapping/canonical.hpp"
#include "quantmap/plan/plan.hpp"
#include "quantmap/plan/task.hpp"

namespace quantmap {

using CanonicalId = std::uint32_t;  // of one flag; 0: it makes no difference

// One outcome of the axes that name a flag: the first combination of their values that has it.
struct DistinctValue {
  std::vector<std::uint32_t> digits;  // a value's index, by axis of the flag
  Count count = 0;                    // combinations with this outcome
  CanonicalId canonical = 0;
  bool is_null = false;        // every axis leaves the flag out
  std::uint32_t spelt_by = 0;  // the axis (of the flag's) whose spelling it has when it is not derived
  ArgumentValue value{};       // unless it is null
  std::string text{};          // the value as JSON
  MultisetHash digest{};       // of the canonical value
};

// A value that makes its points invalid, or that the policy refuses.
struct BadParameter {
  Diagnostic cause;
  std::size_t axis = 0;   // in the task
  std::size_t index = 0;  // in the axis
  Count count = 0;        // points of the parameter side
};

// A flag that parameters name, and the axes that do.
struct FlagChoice {
  std::string canonical_flag;
  std::vector<std::size_t> axes;      // in the task, in file order
  std::vector<DistinctValue> leaves;  // sorted by digits
  std::unordered_map<std::string, CanonicalId> canonical_ids;
  std::vector<Count> set_count;  // by canonical value: combinations in which a parameter sets it
  Count null_count = 0;          // combinations that leave the flag out

  // Combinations that end with the canonical value, when `derived` is what shows through.
  [[nodiscard]] Count count_of(CanonicalId canonical, CanonicalId derived) const {
    return (canonical < set_count.size() ? set_count[canonical] : 0) + (canonical == derived ? null_count : 0);
  }
  [[nodiscard]] CanonicalId canonical_id(const std::string& canonical);
};

// The value as get_runtime_args gives it: true, false or a string.
[[nodiscard]] std::string json_text(const ArgumentValue& value);
// Of ["arg", canonical_flag, value], with the canonical value as JSON.
[[nodiscard]] MultisetHash argument_digest(const std::string& canonical_flag, const std::string& canonical);

class ChoiceSpace {
 public:
  // `refuses`: the policy skips what a release refuses by itself.
  ChoiceSpace(const Task& task, const Engine& engine, const Deployment& deployment, bool refuses,
              Canonicalizer& canonicalizer, const Interrupt& interrupt, Diagnostics& problems);

  [[nodiscard]] Count total() const noexcept { return total_; }
  [[nodiscard]] Count good() const noexcept { return good_; }  // before refusals
  [[nodiscard]] const std::vector<BadParameter>& bad() const noexcept { return bad_; }
  [[nodiscard]] const std::vector<BadParameter>& refused() const noexcept { return refused_; }
  [[nodiscard]] std::vector<FlagChoice>& flags() noexcept { return flags_; }
  [[nodiscard]] const std::vector<FlagChoice>& flags() const noexcept { return flags_; }
  // How a new flag is written: "--tp-size".
  [[nodiscard]] const std::string& spelling(std::size_t axis) const { return axes_[axis].spelling; }
  [[nodiscard]] std::size_t flag_of(std::size_t axis) const { return axes_[axis].flag; }
  [[nodiscard]] std::size_t axis_count() const noexcept { return axes_.size(); }
  // First values that make no point bad: the parameters of an example.
  [[nodiscard]] Value example(std::size_t axis, std::size_t index) const;

 private:
  // A good value of an axis: of those that come to the same, the first.
  struct Item {
    std::uint32_t index = 0;
    Count weight = 0;
    bool is_null = false;
    bool refused = false;
    std::string canonical;
    ArgumentValue value{};
    std::string why;  // of a refusal
  };
  struct Axis {
    std::string spelling;
    std::size_t flag = 0;
    std::vector<Item> items;
    std::vector<std::pair<std::size_t, Diagnostic>> bad;
    Count good = 0;
    std::size_t first = 0;       // the first value that is not bad
    const Item* null = nullptr;  // the item that leaves the flag out; set when all items are read
  };

  void read_axis(std::size_t number, Canonicalizer& canonicalizer);
  void collect_bad();
  [[nodiscard]] std::optional<DistinctValue> distinct_value_of(FlagChoice& flag, std::size_t k, const Item& item) const;
  void collect_leaves(FlagChoice& flag);
  void collect_refused();
  [[nodiscard]] Count refused_before(const FlagChoice& flag, std::size_t axis) const;
  [[nodiscard]] Count standing(const FlagChoice& flag, std::size_t k, const Item& item) const;

  const Task& task_;
  const Engine& engine_;
  const Deployment& deployment_;
  bool refuses_;
  const Interrupt& interrupt_;  // while it is made
  std::vector<Axis> axes_;
  std::vector<FlagChoice> flags_;
  std::vector<BadParameter> bad_;
  std::vector<BadParameter> refused_;
  Count total_ = 1;
  Count good_ = 1;
};

}  // namespace quantmap
