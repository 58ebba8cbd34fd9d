#include "plan/part.hpp"

#include <algorithm>

#include "quantmap/base/json_io.hpp"
#include "quantmap/base/text.hpp"
#include "quantmap/catalog/codes.hpp"
#include "quantmap/config/resolve.hpp"

namespace quantmap {

namespace {

constexpr int kSignatureVersion = 1;  // raised when a data release changes what a signature stands for

// An object's keys in order, all the way down: the same benchmark is the same text.
Value sorted(const Value& value) {
  if (value.is_array()) {
    Value out = Value::array();
    for (const Value& item : value.items()) out.append(sorted(item));
    return out;
  }
  if (!value.is_object()) return value;
  std::vector<const Value::Member*> members;
  for (const Value::Member& item : value.members()) members.push_back(&item);
  std::sort(members.begin(), members.end(), [](const auto* a, const auto* b) { return a->first < b->first; });
  Value out = Value::object();
  for (const Value::Member* item : members) out.set(item->first, sorted(item->second));
  return out;
}

Value model_of(const Value& model) {
  Value out = Value::object();
  Value id = model.is_text() ? model : Value();
  for (const std::string_view key : {"name", "id", "id_or_path"}) {
    const Value* found = model.find(key);
    if (found != nullptr && !found->is_null()) id = *found;
  }
  const Value* revision = model.find("revision");
  out.set("id", id);
  out.set("revision", revision == nullptr ? Value() : *revision);
  return out;
}

MultisetHash header_of(const Task& task, const PlanTarget& target) {
  const Engine& engine = *target.engine;
  Value out = Value::array();
  out.append(Value::text("plan"));
  out.append(Value::integer(std::to_string(kSignatureVersion)));
  out.append(Value::text(std::string(engine.id)));
  const bool checked = target.deployment.checked;
  out.append(Value::text(checked ? std::string(engine.surface.releases[target.deployment.release].version)
                                 : std::string("documented")));
  out.append(model_of(task.model));
  out.append(task.image_tag);
  out.append(sorted(task.benchmark));
  return MultisetHash::of(write_json(out));
}

// Whether some point has the engine's flag for a file of arguments: then a written default overrides what it says.
bool has_config_file(const Task& task, const Engine& engine, const Deployment& deployment) {
  if (engine.config_flag.empty()) return false;
  Canonicalizer names(engine, deployment, true);
  const std::string wanted = names.canonical_flag(std::string(engine.config_flag));
  return std::any_of(task.parameters.begin(), task.parameters.end(), [&](const TaskAxis& axis) {
    const bool given = std::any_of(axis.values.begin(), axis.values.end(), [](const Value& v) { return !v.is_null(); });
    return given && names.canonical_flag(axis.key) == wanted;
  });
}

}  // namespace

TargetPlan::TargetPlan(const Task& task, const PlanTarget& target, const ModelQuantization& model, Policy policy,
                       const Interrupt& interrupt, Diagnostics& problems)
    : task_(task),
      target_(target),
      interrupt_(interrupt),
      configs_(task, *target.engine, problems),
      canonicalizer_(*target.engine, target_.deployment, has_config_file(task, *target.engine, target_.deployment)),
      header_(header_of(task, target)) {
  if (problems.has_errors()) return;
  choices_ = std::make_unique<ChoiceSpace>(task, *target.engine, target_.deployment, policy == Policy::kStrict,
                                           canonicalizer_, interrupt_, problems);
  if (problems.has_errors() || interrupted()) return;
  launch_items_ = std::make_unique<LaunchItems>(canonicalizer_, choices_->flags());
  const auto asked = product(configs_.total(), choices_->total());
  if (!asked) {
    problems.add(Code::kTooManyPoints, "$", {{"known", std::to_string(kMostPoints)}});
    return;
  }
  asked_ = *asked;
  for (std::size_t i = 0; i < choices_->axis_count(); ++i) {
    const auto& axes = choices_->flags()[choices_->flag_of(i)].axes;
    const auto depth = static_cast<std::size_t>(std::find(axes.begin(), axes.end(), i) - axes.begin());
    depth_of_.push_back(depth);
    previous_of_.push_back(depth == 0 ? i : axes[depth - 1]);
  }
  collect_classes(model, policy);
  if (interrupted()) return;
  collect_rests();
  collect_skips();
}

void TargetPlan::collect_classes(const ModelQuantization& model, Policy policy) {
  // By policy literal the rows of the documented mode are what is walked.
  Deployment deployment = policy == Policy::kLiteral ? Deployment{} : target_.deployment;
  deployment.checkpoint = target_.deployment.checkpoint;
  deployment.model = target_.deployment.model;
  deployment.marks = target_.deployment.marks;
  Grid grid(*target_.engine, deployment);
  std::vector<Outcome> outcomes;  // by place in the grid
  for (std::uint32_t i = 0; i < configs_.size() && !interrupt_.wanted(); ++i) {
    // What the policy refuses depends on what was asked, not only on what comes out.
    const auto options = policy == Policy::kStrict ? std::nullopt : configs_.options(i);
    Outcome outcome;
    if (options) {
      const std::uint32_t place = grid.place(*options);
      if (place >= outcomes.size()) outcomes.resize(place + 1);
      if (outcomes[place].launch_class < 0 && outcomes[place].skip < 0) {
        outcomes[place] = classify(Grid::config_of(*options), i, model, policy);
      }
      outcome = outcomes[place];
    } else {
      outcome = evaluate(i, model, policy);
    }
    const Count weight = configs_.weight(i);
    if (outcome.skip >= 0) {
      config_skips_[static_cast<std::size_t>(outcome.skip)].weight += weight;
      continue;
    }
    LaunchClass& item = classes_[static_cast<std::size_t>(outcome.launch_class)];
    item.weight += weight;
    item.combinations.push_back(i);
  }
}

TargetPlan::Outcome TargetPlan::evaluate(std::uint32_t combination, const ModelQuantization& model, Policy policy) {
  Diagnostics problems;
  const Path path("$");
  const std::optional<Config> config = resolve(configs_.config(combination), path, problems);
  if (!config) {
    const auto& all = problems.all();
    const auto error = std::find_if(all.begin(), all.end(), [](const Diagnostic& diagnostic) {
      return diagnostic.text().severity == Severity::kError;
    });
    Diagnostic cause = *error;
    cause.path = configs_.path_in_task(cause.path, combination);
    return skip_of(cause, combination, true);
  }
  return classify(*config, combination, model, policy);
}

TargetPlan::Outcome TargetPlan::classify(const Config& config, std::uint32_t combination,
                                         const ModelQuantization& model, Policy policy) {
  const auto cannot_serve = [](const Decision& decision) {
    return decision.outcome == quantmap::Outcome::kCannotServe;
  };
  const Wording wording = policy == Policy::kStrict ? Wording::kFull : Wording::kNone;
  Mapping mapping = map_by_policy(config, *target_.engine, model, target_.deployment, policy, wording);
  if (std::any_of(mapping.decisions.begin(), mapping.decisions.end(), cannot_serve)) {  // then the words are needed
    mapping = map_by_policy(config, *target_.engine, model, target_.deployment, policy);
    const auto decision = std::find_if(mapping.decisions.begin(), mapping.decisions.end(), cannot_serve);
    if (decision != mapping.decisions.end()) return skip_of(decision->why, combination, false);
  }
  if (policy == Policy::kStrict) {
    Diagnostics refusals;
    enforce_strict(mapping, refusals);
    if (refusals.has_errors()) {
      Diagnostic cause = refusals.all().front();
      cause.path = task_.config_path + cause.path.substr(1);
      return skip_of(cause, combination, false);
    }
  }
  return {class_of(std::move(mapping), combination), -1};
}

TargetPlan::Outcome TargetPlan::skip_of(const Diagnostic& cause, std::uint32_t combination, bool before_parameters) {
  // What cannot be served is one cause, whichever field says it.
  const bool whole = cause.code == Code::kCannotServe || cause.code == Code::kFailsLater;
  const std::string path = whole ? "$" : cause.path;
  const std::string key = std::string(cause.text().code) + '\0' + path + '\0' + cause.message();
  const auto [place, is_new] = skip_numbers_.try_emplace(key, static_cast<int>(config_skips_.size()));
  if (is_new) config_skips_.push_back({{cause.code, path, cause.context}, 0, combination, before_parameters});
  return {-1, place->second};
}

// Everything of the launch that no parameter names is one set of launch items; what shows through where a parameter is
// left out is kept by flag.
int TargetPlan::class_of(Mapping mapping, std::uint32_t combination) {
  LaunchClass item;
  item.first = combination;
  item.digest = header_;
  const std::size_t flags = choices_->flags().size();
  item.derived.assign(flags, 0);
  item.shown.resize(flags);
  item.flag_of.reserve(mapping.arguments.size());
  const auto file_of = [&mapping](const Argument& argument) -> const LaunchFile* {
    for (const LaunchFile& file : mapping.files) {
      if (file.through == argument.flag) return &file;
    }
    return nullptr;
  };
  std::vector<std::uint32_t> key;
  for (const Argument& argument : mapping.arguments) {
    const LaunchItem& found = launch_items_->of(argument, file_of(argument));
    item.flag_of.push_back(found.flag);
    if (found.flag >= 0) {
      item.derived[static_cast<std::size_t>(found.flag)] = found.canonical;
      item.shown[static_cast<std::size_t>(found.flag)] += found.digest;
    } else if (found.id != 0) {
      key.push_back(found.id);
      item.digest += found.digest;
    }
  }
  std::sort(key.begin(), key.end());
  item.merge_group = merge_group_numbers_.try_emplace(key, merge_group_numbers_.size()).first->second;
  key.push_back(0);  // no launch item's id
  key.insert(key.end(), item.derived.begin(), item.derived.end());
  const auto [place, is_new] = class_numbers_.try_emplace(std::move(key), static_cast<int>(classes_.size()));
  if (is_new) {
    item.arguments = std::move(mapping.arguments);
    item.files = std::move(mapping.files);
    classes_.push_back(std::move(item));
  }
  return place->second;
}

std::size_t TargetPlan::list_for(std::size_t flag, CanonicalId derived) {
  const auto [place, is_new] = list_numbers_.try_emplace({flag, derived}, lists_.size());
  if (!is_new) return place->second;
  const std::vector<DistinctValue>& leaves = choices_->flags()[flag].leaves;
  int null = -1;
  int twin = -1;  // the leaf by which a parameter sets what is derived anyway
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    if (leaves[i].is_null) {
      null = static_cast<int>(i);
    } else if (leaves[i].canonical == derived) {
      twin = static_cast<int>(i);
    }
  }
  ValueList made;
  const int hidden = null >= 0 && twin >= 0 ? std::max(null, twin) : -1;  // the later of the two is the same again
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    const int number = static_cast<int>(i);
    if (number == hidden) continue;
    if (number == null && twin < 0) made.shown = static_cast<int>(made.leaves.size());
    made.leaves.push_back(static_cast<std::uint32_t>(i));
  }
  lists_.push_back(std::move(made));
  return place->second;
}

void TargetPlan::collect_rests() {
  merge_groups_.resize(merge_group_numbers_.size());
  const std::size_t flags = choices_->flags().size();
  for (std::size_t i = 0; i < classes_.size(); ++i) {
    merge_groups_[classes_[i].merge_group].classes.push_back(i);
    merge_groups_[classes_[i].merge_group].weight += classes_[i].weight;
    for (std::size_t f = 0; f < flags; ++f) classes_[i].lists.push_back(list_for(f, classes_[i].derived[f]));
  }
  std::vector<std::set<std::vector<std::uint32_t>>> seen(merge_groups_.size());
  for (MergeGroup& merge_group : merge_groups_) {
    for (std::size_t f = 0; f < flags; ++f) {
      const auto& leaves = choices_->flags()[f].leaves;
      const bool may_show =
          std::any_of(leaves.begin(), leaves.end(), [](const DistinctValue& leaf) { return leaf.is_null; });
      const CanonicalId first = classes_[merge_group.classes.front()].derived[f];
      const bool differs = std::any_of(merge_group.classes.begin(), merge_group.classes.end(),
                                       [&](std::size_t c) { return classes_[c].derived[f] != first; });
      if (may_show && differs) merge_group.overridable.push_back(f);
    }
  }
  for (LaunchClass& item : classes_) {
    item.begin = distinct_;
    item.group_begin = groups_;
    count_class(item, merge_groups_[item.merge_group], seen[item.merge_group]);
    distinct_ += item.count;
    groups_ += item.new_subsets.size();
  }
}

// For each subset of the overridable flags: does an earlier class show the same values there?
void TargetPlan::count_class(LaunchClass& item, const MergeGroup& merge_group,
                             std::set<std::vector<std::uint32_t>>& seen) {
  for (std::size_t i = 0; i < merge_group.overridable.size(); ++i) {
    if (list(item, merge_group.overridable[i]).shown >= 0) item.inherited |= std::uint32_t{1} << i;
  }
  const std::uint32_t subsets = std::uint32_t{1} << merge_group.overridable.size();
  item.is_new.assign(subsets, false);
  for (std::uint32_t subset = 0; subset < subsets; ++subset) {
    if ((subset & ~item.inherited) != 0) continue;
    std::vector<std::uint32_t> key{subset};
    for (std::size_t i = 0; i < merge_group.overridable.size(); ++i) {
      if (((subset >> i) & 1U) != 0) key.push_back(item.derived[merge_group.overridable[i]]);
    }
    if (!seen.insert(std::move(key)).second) continue;
    item.is_new[subset] = true;
    item.new_subsets.push_back(subset);
  }
  const auto [whole, others] = whole_stretches(item, coupled_flags(item));
  item.count = completions(item, whole, others);
}

void TargetPlan::add_skip(const Diagnostic& cause, Count count, Value config, Value parameters) {
  if (count == 0) return;
  skips_.push_back({cause, count, target_.engine, std::move(config), std::move(parameters)});
}

void TargetPlan::collect_skips() {
  const ChoiceSpace& choices = *choices_;
  const Value first = choices.axis_count() == 0 ? Value::object() : choices.example(choices.axis_count(), 0);
  for (const BadConfig& bad : configs_.bad()) {
    add_skip(bad.cause, bad.points * choices.total(), bad.example, choices.example(0, 0));
  }
  Count valid = 0;
  Count served = 0;
  for (const LaunchClass& item : classes_) served += item.weight;
  for (const ConfigSkip& skip : config_skips_) {
    if (skip.before_parameters) {
      add_skip(skip.cause, skip.weight * choices.total(), configs_.config(skip.combination), choices.example(0, 0));
    } else {
      valid += skip.weight;
    }
  }
  valid += served;
  const auto valid_config = [this]() -> Value {
    std::uint32_t combination = static_cast<std::uint32_t>(configs_.size());
    for (const LaunchClass& item : classes_) combination = std::min(combination, item.first);
    for (const ConfigSkip& skip : config_skips_) {
      if (!skip.before_parameters) combination = std::min(combination, skip.combination);
    }
    return combination < configs_.size() ? configs_.config(combination) : Value::object();
  };
  for (const BadParameter& bad : choices.bad()) {
    add_skip(bad.cause, valid * bad.count, valid_config(), choices.example(bad.axis, bad.index));
  }
  for (const ConfigSkip& skip : config_skips_) {
    if (skip.before_parameters) continue;
    add_skip(skip.cause, skip.weight * choices.good(), configs_.config(skip.combination), first);
  }
  for (const BadParameter& refused : choices.refused()) {
    const Value config = classes_.empty() ? Value::object() : configs_.config(classes_.front().first);
    add_skip(refused.cause, served * refused.count, config, choices.example(refused.axis, refused.index));
  }
}

}  // namespace quantmap
