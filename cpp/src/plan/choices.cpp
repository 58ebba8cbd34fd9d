#include "plan/choices.hpp"

#include <algorithm>
#include <optional>

#include "quantmap/base/text.hpp"
#include "quantmap/catalog/codes.hpp"
#include "quantmap/deployment/verdict.hpp"
#include "quantmap/mapping/merge.hpp"

namespace quantmap {

CanonicalId FlagChoice::canonical_id(const std::string& canonical) {
  if (canonical.empty()) return 0;
  return canonical_ids.try_emplace(canonical, static_cast<CanonicalId>(canonical_ids.size() + 1)).first->second;
}

ChoiceSpace::ChoiceSpace(const Task& task, const Engine& engine, const Deployment& deployment, bool refuses,
                         Canonicalizer& canonicalizer, const Interrupt& interrupt, Diagnostics& problems)
    : task_(task), engine_(engine), deployment_(deployment), refuses_(refuses), interrupt_(interrupt) {
  axes_.resize(task.parameters.size());
  std::unordered_map<std::string, std::size_t> known;  // by canonical_flag
  for (std::size_t i = 0; i < axes_.size(); ++i) {
    const TaskAxis& axis = task.parameters[i];
    if (!is_parameter_name(axis.key)) {
      problems.add(Code::kBadParameterName, axis.path, {{"value", quote(axis.key)}});
      continue;
    }
    const std::string canonical_flag = canonicalizer.canonical_flag(axis.key);
    const auto [place, is_new] = known.try_emplace(canonical_flag, flags_.size());
    if (is_new) {
      flags_.emplace_back();
      flags_.back().canonical_flag = canonical_flag;
    } else {
      const std::size_t first = flags_[place->second].axes.back();
      problems.add(Code::kDuplicateParameter, axis.path,
                   {{"first", quote(task.parameters[first].key)}, {"second", quote(axis.key)}});
    }
    flags_[place->second].axes.push_back(i);
    const bool renamed =
        deployment.checked && find_flag(engine.surface, canonical_flag, deployment.release).has_value();
    axes_[i].spelling = renamed ? canonical_flag : flag_spelling(axis.key);
    axes_[i].flag = place->second;
    read_axis(i, canonicalizer);
    const auto points = product(total_, axis.values.size());
    if (!points) problems.add(Code::kTooManyPoints, axis.path, {{"known", std::to_string(kMostPoints)}});
    if (problems.has_errors() || interrupt.wanted()) return;
    total_ = *points;
    good_ *= axes_[i].good;
  }
  if (problems.has_errors()) return;
  collect_bad();
  for (FlagChoice& flag : flags_) collect_leaves(flag);
  if (refuses_ && !interrupt.wanted()) collect_refused();
}

void ChoiceSpace::read_axis(std::size_t number, Canonicalizer& canonicalizer) {
  const TaskAxis& task = task_.parameters[number];
  Axis& axis = axes_[number];
  const std::string& canonical_flag = flags_[axis.flag].canonical_flag;
  std::unordered_map<std::string, std::size_t> known;
  std::optional<Verdict> unknown;  // the release has no such flag, whatever the value
  for (std::size_t i = 0; i < task.values.size() && !interrupt_.wanted(); ++i) {
    Diagnostics problems;
    const Path root(task.path);
    const Path inside(root, i);
    std::optional<ArgumentValue> value = parameter_value(task.values[i], task.is_list ? inside : root, problems);
    if (problems.has_errors()) {
      axis.bad.emplace_back(i, problems.all().front());
      continue;
    }
    Item item;
    item.index = static_cast<std::uint32_t>(i);
    item.weight = 1;
    item.is_null = !value.has_value();
    std::string key = "null";
    if (value) {
      item.canonical = canonicalizer.value(canonical_flag, *value);
      item.value = std::move(*value);
      key = "=" + item.canonical;
      if (refuses_) {
        Argument argument;
        argument.flag = axis.spelling;
        argument.value = item.value;
        const Verdict verdict = unknown ? *unknown : judge_alone(engine_, deployment_, argument);
        if (verdict.judgement == Judgement::kUnknownFlag) unknown = verdict;
        item.refused = is_refusal(verdict.judgement);
        if (item.refused) {
          Diagnostics words;
          report_refusals(engine_, deployment_, {verdict}, {argument}, words);
          item.why = words.all().front().message();
          key = "!" + to_text(item.value);
        }
      }
    }
    ++axis.good;
    if (axis.items.empty()) axis.first = i;
    const auto [place, is_new] = known.try_emplace(key, axis.items.size());
    if (is_new) {
      axis.items.push_back(std::move(item));
    } else {
      ++axis.items[place->second].weight;
    }
  }
  for (const Item& item : axis.items) {
    if (item.is_null) axis.null = &item;
  }
}

void ChoiceSpace::collect_bad() {
  std::vector<Count> after(axes_.size() + 1, 1);  // points of the axes from each one on
  for (std::size_t i = axes_.size(); i-- > 0;) after[i] = after[i + 1] * task_.parameters[i].values.size();
  Count before = 1;
  for (std::size_t i = 0; i < axes_.size(); ++i) {
    for (const auto& [index, cause] : axes_[i].bad) {
      if (before > 0) bad_.push_back({cause, i, index, before * after[i + 1]});
    }
    before *= axes_[i].good;
  }
}

// Combinations of a flag's axes in which this item of its k-th axis is the value that stands: whatever comes before it,
// and every later axis leaving the flag out.
Count ChoiceSpace::standing(const FlagChoice& flag, std::size_t k, const Item& item) const {
  Count out = item.weight;
  for (std::size_t j = 0; j < k; ++j) out *= axes_[flag.axes[j]].good;
  for (std::size_t j = k + 1; j < flag.axes.size(); ++j) {
    const Item* null = axes_[flag.axes[j]].null;
    out *= null == nullptr ? 0 : null->weight;
  }
  return out;
}

// The outcome of an item that stands; nothing when a later axis cannot leave the flag out.
std::optional<DistinctValue> ChoiceSpace::distinct_value_of(FlagChoice& flag, std::size_t k, const Item& item) const {
  DistinctValue leaf;
  leaf.is_null = item.is_null;
  leaf.count = item.weight;
  bool spelt = false;
  for (std::size_t j = 0; j < flag.axes.size(); ++j) {
    const Axis& axis = axes_[flag.axes[j]];
    // Earlier axes are free unless all are to be left out; later ones leave the flag out.
    const Item* other = j == k ? &item : j < k && !item.is_null ? &axis.items.front() : axis.null;
    if (other == nullptr) return std::nullopt;
    if (j != k) leaf.count *= j < k && !item.is_null ? axis.good : other->weight;
    leaf.digits.push_back(other->index);
    if (!spelt && !other->is_null) leaf.spelt_by = static_cast<std::uint32_t>(j);
    spelt = spelt || !other->is_null;
  }
  if (item.is_null) return leaf;
  leaf.value = item.value;
  leaf.text = json_text(item.value);
  leaf.canonical = flag.canonical_id(item.canonical);
  if (leaf.canonical != 0) leaf.digest = argument_digest(flag.canonical_flag, item.canonical);
  return leaf;
}

void ChoiceSpace::collect_leaves(FlagChoice& flag) {
  std::unordered_map<std::string, std::size_t> known;
  for (std::size_t k = 0; k < flag.axes.size(); ++k) {
    const bool is_last = k + 1 == flag.axes.size();
    for (const Item& item : axes_[flag.axes[k]].items) {
      if (interrupt_.wanted()) return;
      if (item.refused || (item.is_null && !is_last)) continue;
      std::optional<DistinctValue> leaf = distinct_value_of(flag, k, item);
      if (!leaf) continue;
      const auto [place, is_new] = known.try_emplace(item.is_null ? "null" : "=" + item.canonical, flag.leaves.size());
      if (is_new) {
        flag.leaves.push_back(std::move(*leaf));
        continue;
      }
      DistinctValue& other = flag.leaves[place->second];
      const Count count = other.count + leaf->count;
      if (leaf->digits < other.digits) other = std::move(*leaf);
      other.count = count;
    }
  }
  flag.set_count.resize(flag.canonical_ids.size() + 1);
  for (const DistinctValue& leaf : flag.leaves)
    (leaf.is_null ? flag.null_count : flag.set_count[leaf.canonical]) += leaf.count;
  std::sort(flag.leaves.begin(), flag.leaves.end(),
            [](const DistinctValue& a, const DistinctValue& b) { return a.digits < b.digits; });
}

// Of a flag's combinations, those that a refused value of an axis before `axis` accounts for.
Count ChoiceSpace::refused_before(const FlagChoice& flag, std::size_t axis) const {
  Count out = 0;
  for (std::size_t k = 0; k < flag.axes.size() && flag.axes[k] < axis; ++k) {
    for (const Item& item : axes_[flag.axes[k]].items) {
      if (item.refused) out += standing(flag, k, item);
    }
  }
  return out;
}

void ChoiceSpace::collect_refused() {
  for (std::size_t i = 0; i < axes_.size() && !interrupt_.wanted(); ++i) {
    const FlagChoice& flag = flags_[axes_[i].flag];
    const auto k = static_cast<std::size_t>(std::find(flag.axes.begin(), flag.axes.end(), i) - flag.axes.begin());
    Count others = 1;
    for (const FlagChoice& other : flags_) {
      if (&other == &flag) continue;
      Count all = 1;
      for (const std::size_t axis : other.axes) all *= axes_[axis].good;
      others *= all - refused_before(other, i);
    }
    for (const Item& item : axes_[i].items) {
      if (!item.refused) continue;
      const Count count = standing(flag, k, item) * others;
      if (count == 0) continue;
      const Diagnostic cause{Code::kRefusedByPolicy,
                             task_.parameters[i].path_of(item.index),
                             {{"engine", std::string(engine_.name)}, {"message", item.why}}};
      refused_.push_back({cause, i, item.index, count});
    }
  }
}

Value ChoiceSpace::example(std::size_t axis, std::size_t index) const {
  Value out = Value::object();
  for (std::size_t i = 0; i < axes_.size(); ++i) {
    const TaskAxis& task = task_.parameters[i];
    // Before the axis good values; after it the first ones, as the first such point has them.
    const std::size_t at = i == axis ? index : axes_[i].items.empty() || i > axis ? 0 : axes_[i].first;
    out.set(task.key, task.values[at]);
  }
  return out;
}

std::string json_text(const ArgumentValue& value) {
  if (std::holds_alternative<bool>(value)) return to_text(value);
  std::string out;
  append_json_string(out, to_text(value));
  return out;
}

MultisetHash argument_digest(const std::string& canonical_flag, const std::string& canonical) {
  std::string member = "[\"arg\",";
  append_json_string(member, canonical_flag);
  return MultisetHash::of(member + "," + canonical + "]");
}

}  // namespace quantmap
