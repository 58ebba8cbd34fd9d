#include "quantmap/mapping/choose.hpp"

#include <algorithm>

namespace quantmap {

namespace {

// The targets that some candidate of a row sets: what the model itself asks for, and none of them can set otherwise, is
// no fault of theirs.
std::uint64_t set_by(const MappingRule& row) noexcept {
  std::uint64_t out = 0;
  for (const Alternative& candidate : row.candidates) {
    for (const Assignment& emission : candidate.emissions) out |= std::uint64_t{1} << emission.target;
  }
  return out;
}

}  // namespace

Chooser::Chooser(const Engine& engine, const Deployment& deployment)
    : engine_(engine), deployment_(deployment), rows_(deployment.checked ? engine.checked : engine.documented) {}

bool Chooser::matches(const MappingRule& row, const Config& config, const Field& field, const Setting& setting) const {
  if (!is_about(row, deployment_) || !in_mask(row.activations, deployment_.activations ? 1 : 0)) return false;
  if (!is_one_of(field, setting, row.options)) return false;
  if (row.same_as != kNoField) {
    const Setting other = effective(config, row.same_as);
    if (spelled(row.same_as, other) != spelled(field.field, setting)) return false;
  }
  return std::all_of(row.when.begin(), row.when.end(), [&config](const Condition& condition) {
    return is_one_of(field_info(condition.field), effective(config, condition.field), condition.options);
  });
}

const MappingRule* Chooser::find_row(const Config& config, const Field& field, const Setting& setting) const {
  if (rows_.ranges.empty()) return nullptr;
  const RowRange range = rows_.ranges[index_of(field.field)];
  for (std::size_t i = range.begin; i < range.end; ++i) {
    if (matches(rows_.rows[i], config, field, setting)) return &rows_.rows[i];
  }
  return nullptr;
}

Choice Chooser::choose(const Config& config, const Field& field, const Setting& setting,
                       const TargetValues& values) const {
  Choice choice;
  choice.row = find_row(config, field, setting);
  if (choice.row == nullptr) return choice;
  for (const Alternative& candidate : choice.row->candidates) {
    Refusal refusal = deployment_.checked ? refuse(*choice.row, candidate, field, setting, values) : Refusal{};
    if (refusal.reason == Refusal::Reason::kNone) {
      choice.candidate = &candidate;
      return choice;
    }
    if (choice.first_refusal.reason == Refusal::Reason::kNone) choice.first_refusal = refusal;
    choice.last_refusal = std::move(refusal);
  }
  return choice;
}

std::string Chooser::value_of(const Assignment& emission, const Field& field, const Setting& setting) {
  return emission.asked ? spelled(field.field, setting) : std::string(emission.text);
}

const Channel* Chooser::find_route(const Target& target) const {
  if (!deployment_.checked) return &target.routes.front();
  for (const Channel& route : target.routes) {
    const bool by_flag = route.kind != ChannelKind::kEnv;
    if (!by_flag && has_variable(engine_.surface, route.name, deployment_.release)) return &route;
    if (by_flag && interval_of(route) != nullptr) return &route;
  }
  return nullptr;
}

const FlagInterval* Chooser::interval_of(const Channel& route) const {
  if (route.flag < 0) return nullptr;
  const FlagHistory& history = engine_.surface.flags[static_cast<std::size_t>(route.flag)];
  const FlagInterval* interval = interval_at(history, deployment_.release);
  return interval == nullptr || interval->refused ? nullptr : interval;
}

Refusal Chooser::refuse(const MappingRule& row, const Alternative& candidate, const Field& field,
                        const Setting& setting, const TargetValues& before) const {
  using Reason = Refusal::Reason;
  if (candidate.emissions.empty()) return {};
  TargetValues values = before;
  for (const Assignment& emission : candidate.emissions) {
    const Target& target = rows_.targets[emission.target];
    std::string value = value_of(emission, field, setting);
    if (!target.routes.empty()) {  // else a statement: nothing is passed on, rules decide whether it is true
      const Channel* route = find_route(target);
      if (route == nullptr) return {Reason::kNoRoute, &target, nullptr, nullptr, {}, {}, {}};
      if (route->kind != ChannelKind::kFlag && deployment_.arguments_only) {
        return {Reason::kRouteClosed, &target, route, nullptr, {}, {}, {}};
      }
      if (route->kind == ChannelKind::kFlag && route->at.empty() && !accepts(*interval_of(*route), value)) {
        return {Reason::kNotAccepted, &target, route, nullptr, std::move(value), {}, {}};
      }
    }
    values[emission.target] = std::move(value);
  }
  const std::uint64_t sets = set_by(row);
  if (const Constraint* rule = refused_by(engine_, deployment_, values, sets)) {
    return Refusal::by(*rule);
  }
  const auto refusal = refused_by_kernels(engine_, deployment_, values);
  if (!refusal) return {};
  const bool told = refusal->target != kWholeLaunch && in_mask(sets, refusal->target);
  if (!told && refused_by_kernels(engine_, deployment_, before)) return {};
  return Refusal::by(*refusal, std::move(values));
}

}  // namespace quantmap
