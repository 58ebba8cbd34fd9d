#include "quantmap/mapping/grid.hpp"

#include <utility>

namespace quantmap {

static_assert(index_of(FieldId::kMoe) + 1 == kGridFields, "the four-field form's fields come first");

namespace {

// Whether a row of the field looks at another field.
bool looks_at(const RowSet& rows, FieldId field, FieldId other) {
  if (field == other) return true;
  if (rows.ranges.empty()) return false;  // an engine without rows of this mode
  const RowRange range = rows.ranges[index_of(field)];
  for (std::size_t i = range.begin; i < range.end; ++i) {
    const MappingRule& row = rows.rows[i];
    if (row.same_as == other) return true;
    for (const Condition& condition : row.when) {
      if (condition.field == other) return true;
    }
  }
  return false;
}

std::string key_of(const TargetValues& values, std::uint64_t emitted, bool cannot_serve) {
  std::string key = cannot_serve ? "!" : ".";
  key += std::to_string(emitted);
  for (const std::string& value : values) {
    key += '\0';
    key += value;
  }
  return key;
}

}  // namespace

Grid::Grid(const Engine& engine, const Deployment& deployment)
    : deployment_(deployment), chooser_(engine, deployment_) {
  const RowSet& rows = chooser_.rows();
  for (const FieldId field : engine.order[static_cast<std::size_t>(Form::kFourField)]) {
    Step step;
    step.field = field;
    for (std::size_t i = 0; i < kGridFields; ++i) {
      const auto other = static_cast<FieldId>(i);
      if (!looks_at(rows, field, other)) continue;
      step.stride[i] = step.width;
      step.width *= static_cast<std::uint32_t>(field_info(other).options.size());
    }
    steps_.push_back(std::move(step));
  }
  numbers_.resize(steps_.size() + 1);
  number_of(0, State{TargetValues(rows.targets.size()), 0, false});
}

Config Grid::config_of(const Options& options) {
  Config config;
  for (std::size_t i = 0; i < kGridFields; ++i) config.choose(static_cast<FieldId>(i), options[i]);
  return config;
}

std::uint32_t Grid::place(const Options& options) {
  Looks looks;
  return walk(options, looks);
}

std::uint32_t Grid::place(const Options& options, Looks& looks) {
  const std::uint32_t place = walk(options, looks);
  std::uint64_t seen = 0;
  std::string order;
  for (const Step& step : steps_) {
    const Alternative* chosen = step.chosen[looks.fields[index_of(step.field)]];
    if (chosen == nullptr) continue;
    for (const Assignment& emission : chosen->emissions) {
      const std::uint64_t bit = std::uint64_t{1} << emission.target;
      if ((seen & bit) == 0) order += static_cast<char>(emission.target);
      seen |= bit;
    }
  }
  looks.order = orders_.try_emplace(order, static_cast<std::uint32_t>(orders_.size())).first->second;
  return place;
}

std::uint32_t Grid::walk(const Options& options, Looks& looks) {
  std::uint32_t state = 0;
  for (std::size_t k = 0; k < steps_.size(); ++k) {
    Step& step = steps_[k];
    std::size_t at = std::size_t{state} * step.width;
    for (std::size_t i = 0; i < kGridFields; ++i) at += std::size_t{step.stride[i]} * options[i];
    looks.fields[index_of(step.field)] = static_cast<std::uint32_t>(at);
    if (step.next[at] == 0) {
      const std::uint32_t next = evaluate(k, state, options, at);
      step.next[at] = next + 1;
    }
    state = step.next[at] - 1;
  }
  return state;
}

std::uint32_t Grid::evaluate(std::size_t step, std::uint32_t number, const Options& options, std::size_t at) {
  State state = steps_[step].states[number];
  const Field& field = field_info(steps_[step].field);
  const Config config = config_of(options);
  const Setting setting = effective(config, field.field);
  const Choice choice = chooser_.choose(config, field, setting, state.values);
  steps_[step].chosen[at] = choice.candidate;
  if (choice.candidate != nullptr) {
    state.cannot_serve |= choice.candidate->outcome == Outcome::kCannotServe;
    for (const Assignment& emission : choice.candidate->emissions) {
      state.values[emission.target] = Chooser::value_of(emission, field, setting);
      state.emitted |= std::uint64_t{1} << emission.target;
    }
  }
  return number_of(step + 1, std::move(state));
}

std::uint32_t Grid::number_of(std::size_t level, State state) {
  std::vector<State>& states = level < steps_.size() ? steps_[level].states : last_;
  const auto next = static_cast<std::uint32_t>(states.size());
  const auto [found, is_new] =
      numbers_[level].try_emplace(key_of(state.values, state.emitted, state.cannot_serve), next);
  if (!is_new) return found->second;
  states.push_back(std::move(state));
  if (level < steps_.size()) {
    steps_[level].next.resize(states.size() * steps_[level].width);
    steps_[level].chosen.resize(states.size() * steps_[level].width);
  }
  return next;
}

}  // namespace quantmap
