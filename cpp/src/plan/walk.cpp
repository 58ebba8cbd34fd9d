// The order of experiments: finding the n-th one, going to the next, and what stands at a place.
#include <algorithm>
#include <bit>

#include "plan/part.hpp"

namespace quantmap {

namespace {

std::uint32_t size_of(const Range& range) { return range.end - range.begin; }

bool holds(const Range& range, int place) {
  return place >= 0 && range.begin <= static_cast<std::uint32_t>(place) &&
         static_cast<std::uint32_t>(place) < range.end;
}

// Whether everything that the class can show is new: then nothing couples its flags.
bool is_free(const LaunchClass& item) {
  return item.new_subsets.size() == std::size_t{1} << static_cast<unsigned>(std::popcount(item.inherited));
}

}  // namespace

// The flags whose ranges count one by one: where something may be shown, and not everything is new.
std::vector<bool> TargetPlan::coupled_flags(const LaunchClass& item) const {
  std::vector<bool> out(choices_->flags().size(), false);
  if (is_free(item)) return out;
  for (const std::size_t flag : merge_groups_[item.merge_group].overridable) out[flag] = true;
  return out;
}

// Experiments of the class whose outcomes lie in these ranges; `others`: the product of those that are not coupled.
Count TargetPlan::completions(const LaunchClass& item, const std::vector<Range>& by_flag, Count others) const {
  if (is_free(item) || others == 0) return others;
  const auto& overridable = merge_groups_[item.merge_group].overridable;
  Count out = 0;
  for (const std::uint32_t subset : item.new_subsets) {
    Count ways = others;
    for (std::size_t i = 0; i < overridable.size(); ++i) {
      const Range& range = by_flag[overridable[i]];
      const Count shown = holds(range, list(item, overridable[i]).shown) ? 1 : 0;
      ways *= ((subset >> i) & 1U) != 0 ? shown : size_of(range) - shown;
    }
    out += ways;
  }
  return out;
}

// Every flag with all its outcomes, and the product of those that are not coupled.
std::pair<std::vector<Range>, Count> TargetPlan::whole_stretches(const LaunchClass& item,
                                                                 const std::vector<bool>& coupled) const {
  std::pair<std::vector<Range>, Count> out{{}, 1};
  for (std::size_t f = 0; f < item.lists.size(); ++f) {
    out.first.push_back({0, static_cast<std::uint32_t>(list(item, f).leaves.size())});
    if (!coupled[f]) out.second *= size_of(out.first.back());
  }
  return out;
}

Range TargetPlan::flag_range(const PlanCursor& place, std::size_t flag, std::size_t axes) const {
  Range out{0, static_cast<std::uint32_t>(list(classes_[place.in_class], flag).leaves.size())};
  for (const std::size_t axis : choices_->flags()[flag].axes) {
    if (axis < axes) out = place.ranges[axis];
  }
  return out;
}

Range TargetPlan::parent(const PlanCursor& place, std::size_t axis) const {
  if (depth_of_[axis] > 0) return place.ranges[previous_of_[axis]];
  const std::size_t flag = choices_->flag_of(axis);
  return {0, static_cast<std::uint32_t>(list(classes_[place.in_class], flag).leaves.size())};
}

// The leaves from `begin` on that have the same value of the axis.
Range TargetPlan::stretch_at(const PlanCursor& place, std::size_t axis, std::uint32_t begin) const {
  const FlagChoice& flag = choices_->flags()[choices_->flag_of(axis)];
  if (flag.axes.size() == 1) return {begin, begin + 1};
  const Range within = parent(place, axis);
  const auto& leaves = list(classes_[place.in_class], choices_->flag_of(axis)).leaves;
  const std::size_t depth = depth_of_[axis];
  std::uint32_t end = begin + 1;
  while (end < within.end && flag.leaves[leaves[end]].digits[depth] == flag.leaves[leaves[begin]].digits[depth]) ++end;
  return {begin, end};
}

// Whether the axes until this one leave room for something new: what may still be shown is taken as shown.
bool TargetPlan::is_possible(const LaunchClass& item, const PlanCursor& place, std::size_t axis) const {
  if (is_free(item)) return true;
  const auto& overridable = merge_groups_[item.merge_group].overridable;
  std::uint32_t subset = 0;
  for (std::size_t i = 0; i < overridable.size(); ++i) {
    if (holds(flag_range(place, overridable[i], axis + 1), list(item, overridable[i]).shown))
      subset |= std::uint32_t{1} << i;
  }
  return item.is_new[subset];
}

bool TargetPlan::descend(PlanCursor& place, std::size_t axis) const {
  const LaunchClass& item = classes_[place.in_class];
  for (; axis < choices_->axis_count(); ++axis) {
    const Range within = parent(place, axis);
    std::uint32_t begin = within.begin;
    for (; begin < within.end; begin = place.ranges[axis].end) {
      place.ranges[axis] = stretch_at(place, axis, begin);
      if (is_possible(item, place, axis)) break;
    }
    if (begin >= within.end) return false;
  }
  return true;
}

bool TargetPlan::enter(PlanCursor& place, std::size_t in_class) const {
  place.in_class = in_class;
  place.ranges.assign(choices_->axis_count(), {});
  return classes_[in_class].count > 0 && descend(place, 0);
}

bool TargetPlan::advance(PlanCursor& place) const {
  const LaunchClass& item = classes_[place.in_class];
  for (std::size_t axis = choices_->axis_count(); axis-- > 0;) {
    const Range within = parent(place, axis);
    for (std::uint32_t begin = place.ranges[axis].end; begin < within.end; begin = place.ranges[axis].end) {
      place.ranges[axis] = stretch_at(place, axis, begin);
      if (is_possible(item, place, axis) && descend(place, axis + 1)) return true;
    }
  }
  for (std::size_t next = place.in_class + 1; next < classes_.size(); ++next) {
    if (enter(place, next)) return true;
  }
  return false;
}

PlanCursor TargetPlan::find(Count index) const {
  PlanCursor place;
  const auto after = std::partition_point(
      classes_.begin(), classes_.end(), [index](const LaunchClass& item) { return item.begin + item.count <= index; });
  place.in_class = static_cast<std::size_t>(after - classes_.begin());
  place.ranges.assign(choices_->axis_count(), {});
  const LaunchClass& item = *after;
  Count rest = index - item.begin;
  const std::vector<bool> coupled = coupled_flags(item);
  auto whole = whole_stretches(item, coupled);
  auto& by_flag = whole.first;  // a lambda of clang 14 takes no structured binding
  Count& others = whole.second;
  for (std::size_t axis = 0; axis < choices_->axis_count(); ++axis) {
    const std::size_t flag = choices_->flag_of(axis);
    const Range within = parent(place, axis);
    if (!coupled[flag]) others /= size_of(by_flag[flag]);
    const auto take = [&](std::uint32_t begin) {
      by_flag[flag] = place.ranges[axis] = stretch_at(place, axis, begin);
      return completions(item, by_flag, coupled[flag] ? others : others * size_of(by_flag[flag]));
    };
    if (is_free(item) && choices_->flags()[flag].axes.size() == 1) {
      const Count each = take(within.begin);
      take(static_cast<std::uint32_t>(within.begin + rest / each));
      rest %= each;
      continue;  // one outcome is left, so nothing is to be multiplied
    }
    for (std::uint32_t begin = within.begin; begin < within.end; begin = by_flag[flag].end) {
      const Count here = take(begin);
      if (rest < here) break;
      rest -= here;
    }
    if (!coupled[flag]) others *= size_of(by_flag[flag]);
  }
  return place;
}

const DistinctValue& TargetPlan::leaf(const PlanCursor& place, std::size_t flag) const {
  const FlagChoice& choice = choices_->flags()[flag];
  const Range& range = place.ranges[choice.axes.back()];
  return choice.leaves[list(classes_[place.in_class], flag).leaves[range.begin]];
}

MultisetHash TargetPlan::digest(const PlanCursor& place) const {
  const LaunchClass& item = classes_[place.in_class];
  MultisetHash out = item.digest;
  for (std::size_t f = 0; f < item.lists.size(); ++f) {
    const DistinctValue& taken = leaf(place, f);
    out += taken.is_null ? item.shown[f] : taken.digest;
  }
  return out;
}

std::uint32_t TargetPlan::shown_subset(const PlanCursor& place) const {
  const LaunchClass& item = classes_[place.in_class];
  const auto& overridable = merge_groups_[item.merge_group].overridable;
  std::uint32_t subset = 0;
  for (std::size_t i = 0; i < overridable.size(); ++i) {
    const Range& range = place.ranges[choices_->flags()[overridable[i]].axes.back()];
    if (holds(range, list(item, overridable[i]).shown)) subset |= std::uint32_t{1} << i;
  }
  return subset;
}

std::uint64_t TargetPlan::group(const PlanCursor& place) const {
  const LaunchClass& item = classes_[place.in_class];
  const auto found = std::lower_bound(item.new_subsets.begin(), item.new_subsets.end(), shown_subset(place));
  return item.group_begin + static_cast<std::uint64_t>(found - item.new_subsets.begin());
}

Count TargetPlan::points(const PlanCursor& place) const {
  const LaunchClass& item = classes_[place.in_class];
  const MergeGroup& merge_group = merge_groups_[item.merge_group];
  const auto& flags = choices_->flags();
  const auto ways = [&](const LaunchClass& other) {
    Count out = 1;
    for (std::size_t f = 0; f < flags.size(); ++f) {
      const DistinctValue& taken = leaf(place, f);
      out *= flags[f].count_of(taken.is_null ? item.derived[f] : taken.canonical, other.derived[f]);
    }
    return out;
  };
  if (merge_group.overridable.empty()) return merge_group.weight * ways(item) * target_.repeats;
  Count out = 0;
  for (const std::size_t other : merge_group.classes) out += classes_[other].weight * ways(classes_[other]);
  return out * target_.repeats;
}

Experiment TargetPlan::experiment(const PlanCursor& place) const {
  const LaunchClass& item = classes_[place.in_class];
  const ChoiceSpace& choices = *choices_;
  Experiment out;
  out.engine = target_.engine;
  out.deployment = target_.deployment;
  out.files = item.files;
  std::vector<bool> derived(choices.flags().size(), false);
  for (std::size_t i = 0; i < item.arguments.size(); ++i) {
    Argument argument = item.arguments[i];
    if (item.flag_of[i] >= 0) {
      const auto flag = static_cast<std::size_t>(item.flag_of[i]);
      derived[flag] = true;
      const DistinctValue& taken = leaf(place, flag);
      if (!taken.is_null) {
        argument.value = taken.value;
        argument.from = kNoField;
        std::erase_if(out.files, [&argument](const LaunchFile& file) { return file.through == argument.flag; });
      }
    }
    out.arguments.push_back(std::move(argument));
  }
  out.parameters = Value::object();
  for (std::size_t axis = 0; axis < choices.axis_count(); ++axis) {
    const std::size_t flag = choices.flag_of(axis);
    const DistinctValue& taken = leaf(place, flag);
    const TaskAxis& task = task_.parameters[axis];
    const Value& value = task.values[taken.digits[depth_of_[axis]]];
    if (!value.is_null() && !(value.is_array() && value.items().empty())) out.parameters.set(task.key, value);
    if (taken.is_null || derived[flag] || taken.spelt_by != depth_of_[axis]) continue;
    Argument argument;
    argument.flag = choices.spelling(axis);
    argument.value = taken.value;
    out.arguments.push_back(std::move(argument));
  }
  digest(place).append_hex(out.signature);
  out.group = group(place);
  out.points = points(place);
  out.config = configs_.config(item.first);
  return out;
}

Group TargetPlan::group_content(std::uint64_t group) const {
  const auto after = std::partition_point(classes_.begin(), classes_.end(), [group](const LaunchClass& item) {
    return item.group_begin + item.new_subsets.size() <= group;
  });
  const LaunchClass& item = *after;
  const std::uint32_t subset = item.new_subsets[group - item.group_begin];
  const MergeGroup& merge_group = merge_groups_[item.merge_group];
  std::vector<std::uint32_t> combinations;
  for (const std::size_t number : merge_group.classes) {
    const LaunchClass& other = classes_[number];
    bool same = true;
    for (std::size_t i = 0; i < merge_group.overridable.size(); ++i) {
      const std::size_t flag = merge_group.overridable[i];
      if (((subset >> i) & 1U) != 0) same = same && other.derived[flag] == item.derived[flag];
    }
    if (same) combinations.insert(combinations.end(), other.combinations.begin(), other.combinations.end());
  }
  std::sort(combinations.begin(), combinations.end());
  Group out{target_.engine, target_.deployment, {}};
  for (const std::uint32_t number : combinations) {
    out.configs.emplace_back(configs_.config(number), configs_.weight(number));
  }
  return out;
}

}  // namespace quantmap
