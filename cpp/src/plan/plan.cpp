#include "quantmap/plan/plan.hpp"
#include "quantmap/catalog/codes.hpp"
#include "quantmap/config/checkpoint_kind.hpp"

#include <algorithm>
#include <unordered_set>

#include "plan/part.hpp"
#include "quantmap/base/text.hpp"
#include "quantmap/config/method.hpp"
#include "quantmap/config/validate.hpp"
#include "quantmap/mapping/launch.hpp"
#include "quantmap/plan/parallel.hpp"

namespace quantmap {

namespace {

// The engines that a task is planned for, as names with their versions.
std::vector<Value> runtimes_of(const PlanRequest& request, const Task& task, Diagnostics& problems) {
  if (request.engines.is_array() && !request.engines.items().empty()) return request.engines.items();
  if (request.engines.is_array()) {
    problems.add(Code::kEmptyList, "engines");
    return {};
  }
  if (!request.engines.is_null()) {
    report_wrong_type(request.engines, "a list of engines", Path("engines"), problems);
    return {};
  }
  if (!task.runtime.is_null()) return {task.runtime};
  std::vector<Value> out;
  for (const Engine& engine : catalog().engines) {
    const auto& named = task.matrix_engines;
    const bool is_named = std::find(named.begin(), named.end(), engine.id) != named.end();
    const bool documented = !engine.documented.rows.empty();
    if (is_named || (task.matrix_for_all && documented)) out.push_back(Value::text(std::string(engine.id)));
  }
  if (out.empty()) problems.add(Code::kNoEngine, "$.base_runtime");
  return out;
}

class TargetReader {
 public:
  TargetReader(const PlanRequest& request, const Task& task, Diagnostics& problems)
      : request_(request), task_(task), problems_(problems) {}

  std::vector<PlanTarget> read(Policy policy) {
    const std::vector<Value> runtimes = runtimes_of(request_, task_, problems_);
    if (runtimes.size() > 1 && !request_.engine_version.is_null()) {
      problems_.add(Code::kOneVersionForSeveral, "engine_version");
      return {};
    }
    for (std::size_t i = 0; i < runtimes.size(); ++i) read_one(runtimes[i], policy);
    return std::move(targets_);
  }

 private:
  void read_one(const Value& runtime, Policy policy) {
    std::string suffix;
    const Engine* engine = read_runtime(runtime, suffix, problems_);
    if (engine == nullptr) return;
    DeploymentRequest where = request_;
    if (is_own(*engine)) where.image_tag = task_.image_tag;
    const auto deployment = read_deployment(where, *engine, suffix, problems_);
    if (!deployment) return;
    if (!deployment->checked) need_version(where, request_.policy.is_null() ? Policy::kDegrade : policy, problems_);
    for (PlanTarget& known : targets_) {
      const bool same = known.engine == engine && known.deployment.checked == deployment->checked &&
                        known.deployment.release == deployment->release;
      if (!same) continue;
      ++known.repeats;
      return;
    }
    targets_.push_back({engine, *deployment, 1});
  }

  // The task's image is of the engine that the task names.
  bool is_own(const Engine& engine) const {
    if (task_.runtime.is_null()) return request_.engines.is_null();
    Diagnostics unused;
    std::string version;
    return read_runtime(task_.runtime, version, unused) == &engine;
  }

  const PlanRequest& request_;
  const Task& task_;
  Diagnostics& problems_;
  std::vector<PlanTarget> targets_;
};

// The same cause on several engines is one cause.
void add_skips(const std::vector<Skip>& from, Count repeats, std::vector<Skip>& into) {
  for (const Skip& skip : from) {
    const auto same = std::find_if(into.begin(), into.end(), [&skip](const Skip& other) {
      return other.cause.code == skip.cause.code && other.cause.path == skip.cause.path &&
             other.cause.message() == skip.cause.message();
    });
    if (same == into.end()) {
      into.push_back(skip);
      into.back().count *= repeats;
    } else {
      same->count += skip.count * repeats;
    }
  }
}

}  // namespace

std::optional<Plan> Plan::make(const PlanRequest& request, Diagnostics& problems) {
  Plan plan;
  std::optional<Task> task = read_task(request.task, problems);
  const std::optional<Policy> policy = read_policy(request.policy, request.default_policy, true, problems);
  if (!task || !policy) return std::nullopt;
  plan.task_ = std::make_shared<const Task>(std::move(*task));
  plan.targets_ = TargetReader(request, *plan.task_, problems).read(*policy);
  Diagnostics model_notes;
  const std::optional<ModelQuantization> model = read_model(request, model_notes, problems);
  problems.append(model_notes);
  if (!model || problems.has_errors()) return std::nullopt;
  for (PlanTarget& target : plan.targets_) {
    take_model(*model, *target.engine, target.deployment);
    const bool meant = target.deployment.checked || !request.policy.is_null();
    const Policy own = meant ? *policy : Policy::kDegrade;
    if (!plan.add_part(target, *model, own, request.interrupt, problems)) return std::nullopt;
    if (target.deployment.checked && !model->given) {
      problems.add_once(Code::kCheckpointNotGiven, "model_quantization");
    }
  }
  for (const Skip& skip : plan.skips_) plan.skipped_ += skip.count;
  if (plan.distinct_ == 0) problems.add(Code::kNothingToPlan, "$", {{"count", std::to_string(plan.asked_)}});
  plan.diagnostics_ = problems;
  return plan;
}

// The plan of one target, behind those of the targets before it; false when a problem ends the plan.
bool Plan::add_part(const PlanTarget& target, const ModelQuantization& model, Policy policy, const Interrupt& interrupt,
                    Diagnostics& problems) {
  Diagnostics own;
  tasks_.push_back(std::make_shared<const Task>(with_parallel(*task_, *target.engine, own)));
  std::shared_ptr<const TargetPlan> part;
  if (!own.has_errors())
    part = std::make_shared<const TargetPlan>(*tasks_.back(), target, model, policy, interrupt, own);
  if (part && part->interrupted()) return false;
  for (const Diagnostic& item : own.all()) problems.add_once(item.code, item.path, item.context);
  if (problems.has_errors()) return false;
  const auto asked = product(part->asked(), target.repeats);
  if (!asked || *asked > kMostPoints - asked_) {
    problems.add(Code::kTooManyPoints, "engines", {{"known", std::to_string(kMostPoints)}});
    return false;
  }
  asked_ += *asked;
  begins_.push_back(distinct_);
  group_begins_.push_back(parts_.empty() ? 0 : group_begins_.back() + parts_.back()->groups());
  distinct_ += part->distinct();
  add_skips(part->skips(), target.repeats, skips_);
  parts_.push_back(std::move(part));
  return true;
}

Count Plan::size() const noexcept {
  return task_->max_iterations ? std::min(distinct_, *task_->max_iterations) : distinct_;
}

Count Plan::spread(Count index) const noexcept {
  const Count limit = size();
  constexpr Count kSquareFits = 1U << 31U;
  if (limit == distinct_ || limit > kSquareFits) return index;
  return index * (distinct_ / limit) + index * (distinct_ % limit) / limit;
}

std::optional<Count> Plan::max_iterations() const noexcept { return task_->max_iterations; }

const Value& Plan::name() const noexcept { return task_->name; }

namespace {

// The part that holds the number, given where each part begins.
template <typename Number>
std::size_t part_of(const std::vector<Number>& begins, Number number) {
  const auto after = std::upper_bound(begins.begin(), begins.end(), number);
  return static_cast<std::size_t>(after - begins.begin()) - 1;
}

}  // namespace

std::vector<std::string> Plan::axes() const {
  std::vector<std::string> out;
  std::unordered_set<std::string> known;
  const auto add = [&](std::string_view key) {
    if (known.emplace(key).second) out.emplace_back(key);
  };
  for (const auto& task : tasks_) {
    if (!task->presets.empty()) add(catalog().keys.preset);
    for (const TaskAxis& axis : task->fields)
      add(axis.field == kNoField ? axis.key : dotted_key(field_info(axis.field)));
    for (const TaskAxis& axis : task->parameters) add(axis.key);
  }
  return out;
}

Experiment Plan::experiment(Count index) const {
  const Count at = spread(index);
  const std::size_t number = part_of(begins_, at);
  const TargetPlan& part = *parts_[number];
  Experiment out = part.experiment(part.find(at - begins_[number]));
  out.index = index;
  out.group += group_begins_[number];
  return out;
}

Group Plan::group(std::uint64_t id) const {
  const std::size_t number = part_of(group_begins_, id);
  return parts_[number]->group_content(id - group_begins_[number]);
}

template <typename Write>
Count Plan::walk(Count begin, Count end, std::size_t bytes, const std::string& out, const Write& write) const {
  Count index = begin;
  const bool limited = size() < distinct_;
  for (; limited && index < end && out.size() < bytes; ++index) {
    const Count at = spread(index);
    const std::size_t number = part_of(begins_, at);
    write(number, parts_[number]->find(at - begins_[number]), index);
  }
  while (index < end && out.size() < bytes) {
    const std::size_t number = part_of(begins_, index);
    const TargetPlan& part = *parts_[number];
    PlanCursor place = part.find(index - begins_[number]);
    for (bool more = true; more && index < end && out.size() < bytes; ++index) {
      write(number, place, index);
      more = part.advance(place);
    }
  }
  return index;
}

Count Plan::write_lines(Count begin, Count end, std::size_t bytes, Groups groups, std::string& out) const {
  LineText text;
  const LaunchClass* last = nullptr;  // whose groups have been written
  if (begin > 0 && groups == Groups::kContinue) {
    const Count at = spread(begin - 1);
    const std::size_t number = part_of(begins_, at);
    last = &parts_[number]->launch_class(parts_[number]->find(at - begins_[number]));
  }
  return walk(begin, end, bytes, out, [&](std::size_t number, const PlanCursor& place, Count index) {
    const TargetPlan& part = *parts_[number];
    const LaunchClass& item = part.launch_class(place);
    if (groups != Groups::kNone && last != &item) part.append_groups(item, group_begins_[number], out);
    last = &item;
    part.append_line(place, index, group_begins_[number], text, out);
  });
}

Count Plan::write_signatures(Count begin, Count end, std::size_t bytes, std::string& out) const {
  return walk(begin, end, bytes, out, [&](std::size_t number, const PlanCursor& place, Count) {
    parts_[number]->digest(place).append_hex(out);
  });
}

}  // namespace quantmap
