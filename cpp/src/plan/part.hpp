// What one engine and release contribute to a plan: classes of equal derived launches, and their own experiments.
#pragma once

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "plan/choices.hpp"
#include "plan/configs.hpp"
#include "plan/launch_items.hpp"
#include "quantmap/mapping/launch.hpp"

namespace quantmap {

// The outcomes of one flag for a class: its leaves without what comes to the same as another one there.
struct ValueList {
  std::vector<std::uint32_t> leaves;  // indices into FlagChoice::leaves, in order
  int shown = -1;                     // place of the leaf that shows the derived value, when no parameter sets the same
};

// Combinations of the config side that come to the same derived launch.
struct LaunchClass {
  std::uint32_t first = 0;                  // its first combination
  Count weight = 0;                         // points of the config side
  std::vector<std::uint32_t> combinations;  // ascending
  std::size_t merge_group = 0;
  std::vector<Argument> arguments;  // as derived, unnormalized
  std::vector<LaunchFile> files;
  std::vector<int> flag_of;          // by argument: the flag that parameters name, or -1
  std::vector<CanonicalId> derived;  // by flag: what shows through
  std::vector<MultisetHash> shown;   // by flag: its digest
  std::vector<std::size_t> lists;    // by flag: index into TargetPlan's lists
  MultisetHash digest;               // of everything that no parameter names
  std::uint32_t inherited = 0;       // bit i: overridable flag i of the merge group has a value of its own to show
  std::vector<bool> is_new;          // by subset of overridable flags: no earlier class shows the same
  std::vector<std::uint32_t> new_subsets;  // the subsets that are new, ascending
  std::uint64_t group_begin = 0;
  Count begin = 0;  // number of experiments before it
  Count count = 0;  // experiments of its own
};

// Classes that differ in nothing but values that parameters may hide.
struct MergeGroup {
  std::vector<std::size_t> classes;
  std::vector<std::size_t> overridable;  // flags whose shown-through values differ
  Count weight = 0;                      // of all its classes
};

// A range of a ValueList, chosen by the axes of its flag so far.
struct Range {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
};

// One argument or file of a line: fixed, or what a flag's leaf makes of it.
struct LinePiece {
  std::string name;  // as JSON, with the colon
  std::string text;  // the derived value as JSON; empty: nothing without a parameter
  int flag = -1;
  int spelt_by = -1;  // appended: the axis of the flag whose spelling this is
};

// What the lines of one class have in common.
struct LineText {
  const LaunchClass* of = nullptr;
  std::string head;  // until the arguments
  std::string env;
  std::vector<LinePiece> arguments;
  std::vector<LinePiece> files;
};

// Where an iteration is: a class, and for each axis the range that its value leaves.
struct PlanCursor {
  std::size_t in_class = 0;
  std::vector<Range> ranges;
};

class TargetPlan {
 public:
  // Unfinished, and not to be used, when it was interrupted.
  TargetPlan(const Task& task, const PlanTarget& target, const ModelQuantization& model, Policy policy,
             const Interrupt& interrupt, Diagnostics& problems);

  [[nodiscard]] bool interrupted() const { return interrupt_.wanted(); }
  [[nodiscard]] Count asked() const noexcept { return asked_; }
  [[nodiscard]] Count distinct() const noexcept { return distinct_; }
  [[nodiscard]] std::uint64_t groups() const noexcept { return groups_; }
  [[nodiscard]] const std::vector<Skip>& skips() const noexcept { return skips_; }

  [[nodiscard]] PlanCursor find(Count index) const;  // index < distinct()
  // To the next experiment; false at the end.
  bool advance(PlanCursor& place) const;

  [[nodiscard]] Experiment experiment(const PlanCursor& place) const;
  [[nodiscard]] MultisetHash digest(const PlanCursor& place) const;
  [[nodiscard]] std::uint64_t group(const PlanCursor& place) const;
  [[nodiscard]] Count points(const PlanCursor& place) const;
  // One JSON line; `text` is kept from line to line.
  void append_line(const PlanCursor& place, Count index, std::uint64_t group_begin, LineText& text,
                   std::string& out) const;
  void append_groups(const LaunchClass& item, std::uint64_t group_begin, std::string& out) const;
  [[nodiscard]] Group group_content(std::uint64_t group) const;

  [[nodiscard]] const PlanTarget& target() const noexcept { return target_; }
  [[nodiscard]] const LaunchClass& launch_class(const PlanCursor& place) const { return classes_[place.in_class]; }
  [[nodiscard]] const ChoiceSpace& choices() const noexcept { return *choices_; }
  // The leaf that the place has for a flag, and whether it shows the derived value.
  [[nodiscard]] const DistinctValue& leaf(const PlanCursor& place, std::size_t flag) const;
  [[nodiscard]] const std::vector<LaunchClass>& classes() const noexcept { return classes_; }

 private:
  struct Outcome {
    int launch_class = -1;
    int skip = -1;
  };

  void collect_classes(const ModelQuantization& model, Policy policy);
  Outcome evaluate(std::uint32_t combination, const ModelQuantization& model, Policy policy);
  Outcome classify(const Config& config, std::uint32_t combination, const ModelQuantization& model, Policy policy);
  Outcome skip_of(const Diagnostic& cause, std::uint32_t combination, bool before_parameters);
  int class_of(Mapping mapping, std::uint32_t combination);
  void add_skip(const Diagnostic& cause, Count count, Value config, Value parameters);
  void collect_rests();
  void count_class(LaunchClass& item, const MergeGroup& merge_group, std::set<std::vector<std::uint32_t>>& seen);
  [[nodiscard]] std::size_t list_for(std::size_t flag, CanonicalId derived);
  void collect_skips();
  [[nodiscard]] LineText line_text(const LaunchClass& item) const;

  [[nodiscard]] std::vector<bool> coupled_flags(const LaunchClass& item) const;
  [[nodiscard]] Count completions(const LaunchClass& item, const std::vector<Range>& by_flag, Count others) const;
  [[nodiscard]] std::pair<std::vector<Range>, Count> whole_stretches(const LaunchClass& item,
                                                                     const std::vector<bool>& coupled) const;
  [[nodiscard]] bool is_possible(const LaunchClass& item, const PlanCursor& place, std::size_t axis) const;
  [[nodiscard]] Range parent(const PlanCursor& place, std::size_t axis) const;
  [[nodiscard]] Range stretch_at(const PlanCursor& place, std::size_t axis, std::uint32_t begin) const;
  [[nodiscard]] Range flag_range(const PlanCursor& place, std::size_t flag, std::size_t axes) const;
  bool descend(PlanCursor& place, std::size_t axis) const;
  bool enter(PlanCursor& place, std::size_t in_class) const;
  [[nodiscard]] std::uint32_t shown_subset(const PlanCursor& place) const;
  [[nodiscard]] const ValueList& list(const LaunchClass& item, std::size_t flag) const {
    return lists_[item.lists[flag]];
  }

  const Task& task_;
  PlanTarget target_;
  Interrupt interrupt_;  // while it is made
  ConfigSpace configs_;
  Canonicalizer canonicalizer_;
  std::unique_ptr<ChoiceSpace> choices_;
  std::vector<std::size_t> depth_of_;     // by axis: how many earlier axes name its flag
  std::vector<std::size_t> previous_of_;  // by axis: the axis before it of its flag, or itself
  MultisetHash header_;
  std::unique_ptr<LaunchItems> launch_items_;
  std::vector<LaunchClass> classes_;
  std::map<std::vector<std::uint32_t>, int> class_numbers_;
  std::vector<MergeGroup> merge_groups_;
  std::map<std::vector<std::uint32_t>, std::size_t> merge_group_numbers_;  // by the ids of its launch items
  std::vector<ValueList> lists_;
  std::map<std::pair<std::size_t, CanonicalId>, std::size_t> list_numbers_;
  struct ConfigSkip {
    Diagnostic cause;
    Count weight = 0;
    std::uint32_t combination = 0;
    bool before_parameters = false;  // an invalid config, whatever the parameters
  };
  std::vector<ConfigSkip> config_skips_;
  std::unordered_map<std::string, int> skip_numbers_;
  std::vector<Skip> skips_;
  Count asked_ = 0;
  Count distinct_ = 0;
  std::uint64_t groups_ = 0;
};

}  // namespace quantmap
