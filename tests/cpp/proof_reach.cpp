#include "proof_reach.hpp"

#include <algorithm>

#include "quantmap/config/method.hpp"
#include "quantmap/mapping/choose.hpp"

namespace quantmap::proof {

namespace {

constexpr std::uint64_t kIdle = 100'000;  // random launches in a row that show nothing new
constexpr std::uint64_t kDrawn = 3'000;   // bundles of launches for one candidate or rule
constexpr std::uint64_t kUserOnly = 300;  // bundles for a rule that none should meet
constexpr int kBundle = 24;               // launches of one choice of rows
constexpr std::int64_t kMostSize = 8;     // of what is parallel

Config config_of(Form form, const Point& point) {
  Config out;
  out.form = form;
  for (const auto& [field, number] : point) out.choose(field, number);
  return out;
}

// The four-field form, and the unified form with every field free: nothing is multiplied out here.
std::vector<Grid> free_grids() {
  std::vector<Grid> out;
  Grid unified{"unified", Form::kUnified, {}};
  for (Grid& grid : grids()) {
    if (grid.form == Form::kFourField) {
      out.push_back(std::move(grid));
      continue;
    }
    for (Axis& axis : grid.axes) {
      const bool known = std::any_of(unified.axes.begin(), unified.axes.end(), [&axis](const Axis& other) {
        return other.fields.front() == axis.fields.front();
      });
      if (!known && field_info(axis.fields.front()).kind == FieldKind::kOption) unified.axes.push_back(std::move(axis));
    }
  }
  for (const FieldId field : {FieldId::kTp, FieldId::kPp, FieldId::kMoeTp, FieldId::kEp}) {
    Axis axis{{field}, {{}}};
    for (std::int64_t size = 1; size <= kMostSize; ++size) axis.points.push_back({{field, size}});
    unified.axes.push_back(std::move(axis));
  }
  for (Axis& axis : unified.axes) {
    if (axis.fields.front() != FieldId::kMethod) continue;
    axis.fields.push_back(FieldId::kBaseQuantization);
    const auto methods = static_cast<std::int64_t>(field_info(FieldId::kMethod).options.size());
    for (std::int64_t method = 0; method < methods; ++method) {
      for (std::int64_t other = 0; other < methods; ++other) {
        for (const FieldId named : {FieldId::kFallbackMethod, FieldId::kBaseQuantization}) {
          axis.points.push_back({{FieldId::kMethod, method}, {named, other}});
        }
      }
    }
  }
  out.push_back(std::move(unified));
  return out;
}

// Whether a row can set a target to one of the values of a term, or to something else where the term says so.
// (`roughly`: what is set may stand for something else).
bool sets(const MappingRule& row, const RuleTerm& term, bool roughly = false) {
  return std::any_of(row.candidates.begin(), row.candidates.end(), [&](const Alternative& candidate) {
    return std::any_of(candidate.emissions.begin(), candidate.emissions.end(), [&](const Assignment& emission) {
      const bool named = std::find(term.values.begin(), term.values.end(), emission.text) != term.values.end();
      return emission.target == term.target && (roughly || emission.asked || named != term.others);
    });
  });
}

constexpr std::uint32_t kAll = 0xFFFFFFFF;

}  // namespace

void Limits::meet(const MappingRule& row) {
  meet_model(row);
  gpus &= row.gpus;
  dtypes &= row.dtypes;
  activations &= row.activations;
}

void Limits::meet(const Constraint& rule) {
  meet_model(rule);
  gpus &= rule.gpus;
  dtypes &= rule.dtypes;
  meet_releases(rule.since, rule.until);
}

void Limits::meet(const Meaning& meaning) {
  meet_model(meaning);
  gpus &= meaning.gpus;
  dtypes &= meaning.dtypes;
  meet_releases(meaning.since, meaning.until);
}

ReachSearch::ReachSearch(const Engine& engine, std::uint32_t seed)
    : engine_(engine), random_(seed), grids_(free_grids()), refusing_(engine.checked.rules.size()) {
  for (const MappingRule& row : engine.checked.rows) taken_.emplace_back(row.candidates.size());
}

void ReachSearch::search() {
  std::size_t known = 0;
  std::vector<Allowed> all;
  for (const Grid& grid : grids_) all.push_back(allowed_by(grid, {}));
  for (std::uint64_t idle = 0; idle < kIdle; ++idle) {
    const std::size_t grid = below(grids_.size());
    follow_random(grids_[grid], all[grid], {});
    std::size_t now = static_cast<std::size_t>(std::count(refusing_.begin(), refusing_.end(), true));
    for (const auto& of_row : taken_) now += static_cast<std::size_t>(std::count(of_row.begin(), of_row.end(), true));
    if (now != known) idle = 0;
    known = now;
  }
  for (std::size_t row = 0; row < taken_.size(); ++row) {
    for (std::size_t candidate = 0; candidate < taken_[row].size(); ++candidate) search_candidate(row, candidate);
  }
  for (std::size_t rule = 0; rule < refusing_.size(); ++rule) search_rule(rule);
}

std::vector<Problem> ReachSearch::problems() const {
  std::vector<Problem> out;
  for (std::size_t row = 0; row < taken_.size(); ++row) {
    const Field& field = field_info(field_of(row));
    const std::size_t number = row - engine_.checked.ranges[index_of(field.field)].begin;
    for (std::size_t candidate = 0; candidate < taken_[row].size(); ++candidate) {
      if (taken_[row][candidate]) continue;
      out.push_back({"no launch takes candidate " + std::to_string(candidate + 1) + " of row " +
                         std::to_string(number + 1) + " of " + std::string(field.id) + ": move it up, mend or drop it",
                     {}});
    }
  }
  for (std::size_t i = 0; i < refusing_.size(); ++i) {
    const Constraint& rule = engine_.checked.rules[i];
    if (rule.terms.empty() || refusing_[i] != rule.user_only) continue;
    out.push_back({"the rule " + std::string(rule.id) +
                       (rule.user_only ? " refuses what rows emit: it is not user_only"
                                       : " refuses nothing that a row emits: drop it, or mark it user_only"),
                   {}});
  }
  return out;
}

void ReachSearch::follow(const Config& given, const Deployment& deployment) {
  ++launches_;
  const RowSet& rows = engine_.checked;
  TargetValues values(rows.targets.size());
  if (nothing_served(engine_, deployment) != nullptr) return;
  Diagnostics unfit;
  const Config config = drop_unfit(given, unfit);
  const Chooser chooser(engine_, deployment);
  for (const FieldId field : engine_.order[static_cast<std::size_t>(config.form)]) {
    Setting setting = effective(config, field);
    if (!setting.present) continue;
    if (field == FieldId::kMethod) setting.number = choose_method(config, rows).option;
    const MappingRule* row = chooser.find_row(config, field_info(field), setting);
    if (row != nullptr) try_candidates(chooser, *row, field_info(field), setting, deployment, values);
  }
}

void ReachSearch::try_candidates(const Chooser& chooser, const MappingRule& row, const Field& field,
                                 const Setting& setting, const Deployment& deployment, TargetValues& values) {
  using Reason = Refusal::Reason;
  const auto number = static_cast<std::size_t>(&row - engine_.checked.rows.data());
  for (std::size_t i = 0; i < row.candidates.size(); ++i) {
    const Alternative& candidate = row.candidates[i];
    const Reason reason = chooser.refuse(row, candidate, field, setting, values).reason;
    if (reason != Reason::kNone && reason != Reason::kRule && reason != Reason::kKernel) continue;
    TargetValues after = values;
    for (const Assignment& emission : candidate.emissions) {
      after[emission.target] = Chooser::value_of(emission, field, setting);
    }
    if (reason == Reason::kNone) {
      taken_[number][i] = true;
      values = std::move(after);
      return;
    }
    const EffectiveValues effective_after(engine_, deployment, after);
    for (std::size_t r = 0; r < refusing_.size(); ++r) {
      const Constraint& rule = engine_.checked.rules[r];
      if (refusing_[r] || rule.terms.empty() || !is_about(rule, deployment)) continue;
      refusing_[r] = covers(rule.since, rule.until, deployment.release) && terms_hold(rule.terms, effective_after);
    }
  }
}

void ReachSearch::follow_random(const Grid& grid, const Allowed& allowed, const Limits& limits) {
  std::vector<std::size_t> point;
  for (const auto& points : allowed) point.push_back(points[below(points.size())]);
  if (const auto deployment = deployment_in(limits)) follow(config_at(grid, point), *deployment);
}

std::size_t ReachSearch::one_of(std::uint32_t mask, std::size_t size) {
  std::vector<std::size_t> able;
  for (std::size_t i = 0; i < size; ++i) {
    if (in_mask(mask, i)) able.push_back(i);
  }
  return able.empty() ? size : able[below(able.size())];
}

std::optional<Deployment> ReachSearch::deployment_in(const Limits& limits) {
  const Catalog& all = catalog();
  const std::size_t end = std::min<std::size_t>(limits.until, engine_.surface.releases.size());
  Deployment out;
  out.checked = true;
  out.arguments_only = below(4) == 0;
  out.checkpoint = one_of(limits.checkpoints, all.checkpoint_kinds.size());
  out.gpu = one_of(limits.gpus, all.gpu_classes.size());
  out.model = one_of(limits.models, all.model_kinds.size());
  const std::size_t activations = one_of(limits.activations, 2);
  const bool possible = limits.since < end && out.checkpoint < all.checkpoint_kinds.size() &&
                        out.gpu < all.gpu_classes.size() && out.model < all.model_kinds.size() && activations < 2;
  if (!possible) return std::nullopt;
  out.release = static_cast<ReleaseNumber>(limits.since + below(end - limits.since));
  out.activations = activations == 1;
  if (out.model == 0) return limits.has == 0 ? std::optional(out) : std::nullopt;  // nothing is known of it
  return take_marks(limits, out) ? std::optional(out) : std::nullopt;
}

bool ReachSearch::take_marks(const Limits& limits, Deployment& out) {
  const Catalog& all = catalog();
  const TraitMask every = trait_bit(all.traits.size()) - 1;
  const auto half = [this] { return (TraitMask{random_()} << 32U) | random_(); };
  const TraitMask some = half() & half() & every;
  out.marks.has = (some | limits.has) & ~limits.lacks;
  out.marks.lacks = every & ~out.marks.has;
  const bool quantized = out.checkpoint != 0;  // only a quantized checkpoint has schemes and asks for a KV cache
  std::uint32_t schemes = 1;
  for (std::size_t i = 1; i < all.schemes.size(); ++i) {
    if (quantized && in_mask(all.schemes[i].kinds, out.checkpoint)) schemes |= std::uint32_t{1} << i;
  }
  const std::size_t scheme = one_of(schemes & limits.schemes, all.schemes.size());
  const std::size_t dtype = one_of(limits.dtypes, all.model_dtypes.size());
  const std::size_t kv = one_of(limits.kv_dtypes & (quantized ? kAll : 1), all.kv_dtypes.size());
  out.marks.schemes = std::uint32_t{1} << scheme;
  out.marks.dtype = static_cast<std::uint8_t>(dtype);
  out.marks.kv_dtype = static_cast<std::uint8_t>(kv);
  return scheme < all.schemes.size() && dtype < all.model_dtypes.size() && kv < all.kv_dtypes.size() &&
         (limits.has & limits.lacks) == 0;
}

ReachSearch::Allowed ReachSearch::allowed_by(const Grid& grid, const std::vector<std::size_t>& rows) const {
  Allowed out;
  for (const Axis& axis : grid.axes) {
    auto& points = out.emplace_back();
    for (std::size_t i = 0; i < axis.points.size(); ++i) {
      const Config config = config_of(grid.form, axis.points[i]);
      const bool all = std::all_of(rows.begin(), rows.end(), [&](std::size_t row) {
        return allows(engine_.checked.rows[row], field_of(row), axis, config);
      });
      if (all) points.push_back(i);
    }
    for (std::size_t i = 0; points.empty() && i < axis.points.size(); ++i) points.push_back(i);
  }
  return out;
}

bool ReachSearch::allows(const MappingRule& row, FieldId field, const Axis& axis, const Config& config) const {
  const auto meets = [&](FieldId name, std::uint64_t options) {
    if (std::find(axis.fields.begin(), axis.fields.end(), name) == axis.fields.end()) return true;
    Setting setting = effective(config, name);
    if (name == FieldId::kMethod && name == field) setting.number = choose_method(config, engine_.checked).option;
    return is_one_of(field_info(name), setting, options);
  };
  return meets(field, row.options) && std::all_of(row.when.begin(), row.when.end(), [&](const Condition& condition) {
           return meets(condition.field, condition.options);
         });
}

FieldId ReachSearch::field_of(std::size_t row) const {
  std::size_t field = 0;
  const auto& ranges = engine_.checked.ranges;
  while (row < ranges[field].begin || row >= ranges[field].end) ++field;
  return static_cast<FieldId>(field);
}

std::vector<std::size_t> ReachSearch::rows_for(std::size_t rule) {
  std::vector<std::size_t> out;
  for (const RuleTerm& term : engine_.checked.rules[rule].terms) {
    std::vector<std::size_t> able;
    for (std::size_t row = 0; row < taken_.size(); ++row) {
      if (sets(engine_.checked.rows[row], term)) able.push_back(row);
    }
    if (!able.empty()) out.push_back(able[below(able.size())]);
  }
  return out;
}

void ReachSearch::draw(const std::vector<std::size_t>& rows, const Limits& limits) {
  if (rows.empty()) return;
  const Form form = field_info(field_of(rows.front())).form;
  for (const Grid& grid : grids_) {
    if (grid.form != form) continue;
    const Allowed allowed = allowed_by(grid, rows);
    for (int i = 0; i < kBundle; ++i) follow_random(grid, allowed, limits);
  }
}

Limits ReachSearch::limits_of(std::size_t rule) {
  Limits out;
  out.meet(engine_.checked.rules[rule]);
  const auto& meanings = engine_.checked.meanings;
  for (const RuleTerm& term : engine_.checked.rules[rule].terms) {
    std::vector<const Meaning*> able;  // what lets something else stand for a value of the term
    for (const Meaning& meaning : meanings) {
      const bool named = std::find(term.values.begin(), term.values.end(), meaning.means) != term.values.end();
      if (meaning.target == term.target && named != term.others) able.push_back(&meaning);
    }
    if (!able.empty() && below(2) == 0) out.meet(*able[below(able.size())]);
  }
  return out;
}

void ReachSearch::search_candidate(std::size_t row, std::size_t candidate) {
  const MappingRule& item = engine_.checked.rows[row];
  std::vector<std::size_t> near;  // rules that may refuse what stands before
  for (std::size_t rule = 0; rule < refusing_.size(); ++rule) {
    const auto& terms = engine_.checked.rules[rule].terms;
    const auto set_here = [&item](const RuleTerm& term) { return sets(item, term, true); };
    if (std::any_of(terms.begin(), terms.end(), set_here)) near.push_back(rule);
  }
  for (std::uint64_t i = 0; i < kDrawn && !taken_[row][candidate]; ++i) {
    Limits limits;
    std::vector<std::size_t> rows{row};
    if (!near.empty() && i % 4 != 0) {
      const std::size_t rule = near[below(near.size())];
      limits = limits_of(rule);
      for (const std::size_t other : rows_for(rule)) {
        if (field_of(other) != field_of(row)) rows.push_back(other);
      }
    }
    limits.meet(item);
    draw(rows, limits);
  }
}

void ReachSearch::search_rule(std::size_t rule) {
  const Constraint& item = engine_.checked.rules[rule];
  const std::uint64_t most = item.user_only ? kUserOnly : kDrawn;
  for (std::uint64_t i = 0; i < most && !refusing_[rule] && !item.terms.empty(); ++i) {
    draw(rows_for(rule), limits_of(rule));
  }
}

}  // namespace quantmap::proof
