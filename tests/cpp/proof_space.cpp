// Classes of places and points: what the tables cannot tell apart.
#include <algorithm>
#include <set>
#include <unordered_map>

#include "proof.hpp"
#include "quantmap/config/method.hpp"

namespace quantmap::proof {

namespace {

// Numbers for texts, in the order in which they are met.
class Numbers {
 public:
  int operator()(const std::string& text) {
    return known_.try_emplace(text, static_cast<int>(known_.size())).first->second;
  }
  [[nodiscard]] int find(const std::string& text) const {
    const auto found = known_.find(text);
    return found == known_.end() ? -1 : found->second;
  }
  [[nodiscard]] std::size_t size() const { return known_.size(); }
  [[nodiscard]] std::vector<std::string> texts() const {
    std::vector<std::string> out;
    for (const auto& [text, number] : known_) out.push_back(text);
    return out;
  }
  [[nodiscard]] const std::unordered_map<std::string, int>& all() const { return known_; }

 private:
  std::unordered_map<std::string, int> known_;
};

struct FormRow {
  const MappingRule* row;
  FieldId field;
};

// The rows that a config of the grid can meet: a field that no axis sets is absent, or has its default.
std::vector<FormRow> rows_of(const Engine& engine, const Grid& grid) {
  std::vector<FormRow> out;
  for (const FieldId field : engine.order[static_cast<std::size_t>(grid.form)]) {
    const bool varies = std::any_of(grid.axes.begin(), grid.axes.end(), [field](const Axis& axis) {
      return std::find(axis.fields.begin(), axis.fields.end(), field) != axis.fields.end();
    });
    const int otherwise = field_info(field).default_option;
    const std::uint64_t options = varies ? ~std::uint64_t{0} : otherwise < 0 ? 0 : std::uint64_t{1} << otherwise;
    const RowRange range = engine.checked.ranges[index_of(field)];
    for (std::size_t i = range.begin; i < range.end; ++i) {
      if ((engine.checked.rows[i].options & options) != 0) out.push_back({&engine.checked.rows[i], field});
    }
  }
  return out;
}

// Every text that an emission can have.
std::vector<std::string> texts_of(const Assignment& emission, const FormRow& row) {
  if (!emission.asked) return {std::string(emission.text)};
  const Field& field = field_info(row.field);
  if (field.kind != FieldKind::kOption) return {"2"};
  std::vector<std::string> out;
  for (std::size_t i = 0; i < field.options.size(); ++i) {
    if (((row.row->options >> i) & 1U) != 0) out.emplace_back(field.options[i].id);
  }
  return out;
}

// What a release makes of one target: the route it has, and which values that route takes.
class ReleaseView {
 public:
  ReleaseView(const Engine& engine, ReleaseNumber release) : surface_(engine.surface), release_(release) {}

  int route(const Target& target) const {
    for (std::size_t i = 0; i < target.routes.size(); ++i) {
      const Channel& route = target.routes[i];
      const bool there =
          route.kind == ChannelKind::kEnv ? has_variable(surface_, route.name, release_) : interval(route) != nullptr;
      if (there) return static_cast<int>(i);
    }
    return -1;
  }

  bool takes(const Channel& route, const std::string& value) const {
    return route.kind != ChannelKind::kFlag || !route.at.empty() || accepts(*interval(route), value);
  }

 private:
  const FlagInterval* interval(const Channel& route) const {
    if (route.flag < 0) return nullptr;
    const FlagInterval* found = interval_at(surface_.flags[static_cast<std::size_t>(route.flag)], release_);
    return found == nullptr || found->refused ? nullptr : found;
  }

  const ArgumentSchema& surface_;
  ReleaseNumber release_;
};

std::string pair_name(std::size_t target, const std::string& value) { return std::to_string(target) + " " + value; }

// A row in a release: a number for what the surface says to it, and the values it can set.
struct RowView {
  int number = 0;
  std::vector<int> reaches;
};

class Classifier {
 public:
  Classifier(const Engine& engine, const Grid& grid, const Grounds& grounds)
      : engine_(engine), grounds_(grounds), rows_(rows_of(engine, grid)), kernels_(engine) {
    Numbers seen;
    for (ReleaseNumber release = 0; release < engine.surface.releases.size(); ++release) {
      const ReleaseView view(engine, release);
      std::vector<RowView> of_release;
      for (const FormRow& row : rows_) of_release.push_back(look(row, view, seen));
      views_.push_back(std::move(of_release));
    }
    for (std::size_t target = 0; target < engine.checked.targets.size(); ++target) pairs_(pair_name(target, ""));
    for (const Meaning& meaning : engine.checked.meanings) {
      pairs_(pair_name(meaning.target, std::string(meaning.means)));
    }
    for (const Constraint& rule : engine.checked.rules) {
      std::vector<std::vector<int>> terms;
      for (const RuleTerm& term : rule.terms) {
        std::vector<int> ids;
        for (const std::string_view value : term.values) {
          ids.push_back(pairs_.find(pair_name(term.target, std::string(value))));
        }
        if (term.others) ids = others_of(term.target, ids);
        terms.push_back(std::move(ids));
      }
      terms_.push_back(std::move(terms));
    }
  }

  std::string signature(const Place& place) {
    std::string out(1, place.activations ? '+' : '-');
    const Deployment deployment = situation_at(place);
    std::vector<char> reached(pairs_.size(), 0);
    for (std::size_t target = 0; target < engine_.checked.targets.size(); ++target) {
      reached[static_cast<std::size_t>(pairs_.find(pair_name(target, "")))] = 1;
    }
    const Ground ground = grounds_.at(place);
    const auto number = [&](const Constraint* rule) { return rule - engine_.checked.rules.data(); };
    if (ground.nothing_served != nullptr) out += "nothing " + std::to_string(number(ground.nothing_served));
    for (std::size_t i = 0; i < rows_.size() && ground.nothing_served == nullptr; ++i) {
      if (!matches(*rows_[i].row, deployment)) continue;
      const RowView& view = views_[place.release][i];
      out += " " + std::to_string(i) + ":" + std::to_string(view.number);
      for (const int id : view.reaches) reached[static_cast<std::size_t>(id)] = 1;
    }
    const std::string meanings = translate(deployment, reached);
    std::uint64_t looked_at = 0;  // targets of rules that can hold
    for (const auto* list : {&ground.with_terms, &ground.conditional}) {
      out += " |";
      for (const Constraint* rule : *list) {
        if (!can_hold(static_cast<std::size_t>(number(rule)), reached)) continue;
        out += " " + std::to_string(number(rule));
        for (const RuleTerm& term : rule->terms) looked_at |= std::uint64_t{1} << term.target;
      }
    }
    out += " k" + std::to_string(kernels_.at(place, pairs_.texts()));
    for (const Meaning& meaning : engine_.checked.meanings) {
      if (((looked_at >> meaning.target) & 1U) == 0 && engine_.kernels.orders.empty()) continue;
      out += meanings;
      break;
    }
    for (const BuiltinFile& file : engine_.checked.files) {
      out += file.since <= place.release && place.release < file.until ? " f" : " -";
    }
    return out;
  }

  std::vector<const MappingRule*> matching(const Place& place) const {
    std::vector<const MappingRule*> out;
    for (const FormRow& row : rows_) {
      if (matches(*row.row, situation_at(place))) out.push_back(row.row);
    }
    return out;
  }

 private:
  static bool matches(const MappingRule& row, const Deployment& deployment) {
    return is_about(row, deployment) && in_mask(row.activations, deployment.activations ? 1 : 0);
  }

  // Every known value of a target but these.
  std::vector<int> others_of(std::size_t target, const std::vector<int>& ids) const {
    std::vector<int> out;
    const std::string start = std::to_string(target) + " ";
    for (const auto& [text, id] : pairs_.all()) {
      if (text.rfind(start, 0) == 0 && std::find(ids.begin(), ids.end(), id) == ids.end()) out.push_back(id);
    }
    return out;
  }

  // Puts what values stand for in their place; the text says which stand for what.
  std::string translate(const Deployment& deployment, std::vector<char>& reached) const {
    std::string out;
    std::vector<int> meant;
    for (const Meaning& meaning : engine_.checked.meanings) {
      const bool here =
          meaning.since <= deployment.release && deployment.release < meaning.until && is_about(meaning, deployment);
      for (const std::string_view value : meaning.values) {
        const int id = here ? pairs_.find(pair_name(meaning.target, std::string(value))) : -1;
        if (id < 0 || reached[static_cast<std::size_t>(id)] == 0) continue;
        reached[static_cast<std::size_t>(id)] = 0;
        meant.push_back(pairs_.find(pair_name(meaning.target, std::string(meaning.means))));
        out += " " + std::to_string(id) + ">" + std::to_string(meant.back());
      }
    }
    for (const int id : meant) reached[static_cast<std::size_t>(id)] = 1;
    return out;
  }

  RowView look(const FormRow& row, const ReleaseView& release, Numbers& seen) {
    RowView out;
    std::set<int> reaches;
    std::string text = std::to_string(row.row - engine_.checked.rows.data());
    for (const Alternative& candidate : row.row->candidates) {
      for (const Assignment& emission : candidate.emissions) {
        const Target& target = engine_.checked.targets[emission.target];
        if (target.routes.empty()) {  // a statement: only rules judge it
          for (const std::string& value : texts_of(emission, row))
            reaches.insert(pairs_(pair_name(emission.target, value)));
          continue;
        }
        const int route = release.route(target);
        text += " r" + std::to_string(route);
        if (route < 0) continue;
        for (const std::string& value : texts_of(emission, row)) {
          const bool taken = release.takes(target.routes[static_cast<std::size_t>(route)], value);
          text += taken ? '1' : '0';
          if (taken) reaches.insert(pairs_(pair_name(emission.target, value)));
        }
      }
      text += ';';
    }
    out.number = seen(text);
    out.reaches.assign(reaches.begin(), reaches.end());
    return out;
  }

  // Whether every term has a value that some matching row can set, or that is there when nothing is set.
  bool can_hold(std::size_t rule, const std::vector<char>& reached) const {
    return std::all_of(terms_[rule].begin(), terms_[rule].end(), [&](const std::vector<int>& ids) {
      return std::any_of(ids.begin(), ids.end(),
                         [&](int id) { return id >= 0 && reached[static_cast<std::size_t>(id)] != 0; });
    });
  }

  const Engine& engine_;
  const Grounds& grounds_;
  std::vector<FormRow> rows_;
  std::vector<std::vector<RowView>> views_;  // by release, then by row
  Numbers pairs_;                            // target and value
  KernelNumbers kernels_;
  std::vector<std::vector<std::vector<int>>> terms_;
};

Axis axis_of(FieldId field, bool may_be_absent) {
  Axis out{{field}, {}};
  if (may_be_absent) out.points.push_back({});
  const Field& info = field_info(field);
  if (info.kind == FieldKind::kInteger) out.points.push_back({{field, 2}});
  for (std::size_t i = 0; i < info.options.size(); ++i) {
    const auto number = static_cast<std::int64_t>(i);
    if (info.completion.exists && number == info.completion.option) continue;  // becomes another option when resolved
    out.points.push_back({{field, number}});
  }
  return out;
}

// Every method, every FP8 variant, the Marlin switch, and a fallback.
Axis methods() {
  Axis out = axis_of(FieldId::kMethod, true);
  out.fields = {FieldId::kMethod, FieldId::kFp8Variant, FieldId::kEnableMarlin, FieldId::kFallbackMethod};
  const auto option = [](std::string_view id) { return find_option(field_info(FieldId::kMethod), id); };
  const auto& variants = field_info(FieldId::kFp8Variant).options;
  for (std::size_t i = 0; i < variants.size(); ++i) {
    out.points.push_back({{FieldId::kMethod, option("fp8")}, {FieldId::kFp8Variant, static_cast<std::int64_t>(i)}});
  }
  for (const std::string_view method : {"awq", "gptq"}) {
    out.points.push_back({{FieldId::kMethod, option(method)}, {FieldId::kEnableMarlin, 1}});
  }
  out.points.push_back({{FieldId::kMethod, option("qoq")}, {FieldId::kFallbackMethod, option("fp8")}});
  return out;
}

}  // namespace

std::vector<PlaceClass> place_classes(const Engine& engine, const Grid& grid, const Grounds& grounds,
                                      const std::vector<Place>& places) {
  Classifier classifier(engine, grid, grounds);
  std::unordered_map<std::string, std::size_t> known;
  std::vector<PlaceClass> out;
  for (const Place& place : places) {
    const auto [found, is_new] = known.try_emplace(classifier.signature(place), out.size());
    if (is_new) out.push_back({{}, classifier.matching(place)});
    out[found->second].members.push_back(place);
  }
  return out;
}

std::vector<Grid> grids() {
  Grid four{"four fields", Form::kFourField, {}};
  for (const Field& field : catalog().fields) {
    if (field.form == Form::kFourField) four.axes.push_back(axis_of(field.field, false));
  }
  const auto unified = [](std::string_view name, std::initializer_list<FieldId> fields) {
    Grid grid{name, Form::kUnified, {methods()}};
    for (const FieldId field : fields) grid.axes.push_back(axis_of(field, true));
    return grid;
  };
  Axis all_sizes{{FieldId::kTp, FieldId::kPp, FieldId::kMoeTp, FieldId::kEp}, {{}, {}}};
  for (const FieldId field : all_sizes.fields) {
    all_sizes.points[1].emplace_back(field, 2);
    all_sizes.points.push_back({{field, 2}});
  }
  Grid sizes = unified("unified: sizes, experts", {FieldId::kMoeRunner});
  sizes.axes.push_back(all_sizes);
  return {four,
          unified("unified: KV, attention, dtype", {FieldId::kKvDtype, FieldId::kAttentionBackend, FieldId::kDtype}),
          unified("unified: KV, experts", {FieldId::kKvDtype, FieldId::kMoeQuantization, FieldId::kMoeRunner}), sizes};
}

Config config_at(const Grid& grid, const std::vector<std::size_t>& point) {
  Config out;
  out.form = grid.form;
  for (std::size_t axis = 0; axis < point.size(); ++axis) {
    for (const auto& [field, number] : grid.axes[axis].points[point[axis]]) out.choose(field, number);
  }
  return out;
}

std::vector<std::vector<std::size_t>> point_classes(const Engine& engine, const Grid& grid, const PlaceClass& places) {
  const RowSet& rows = engine.checked;
  const auto field_of = [&rows](const MappingRule* row) {
    const auto number = static_cast<std::size_t>(row - rows.rows.data());
    std::size_t field = 0;
    while (number < rows.ranges[field].begin || number >= rows.ranges[field].end) ++field;
    return static_cast<FieldId>(field);
  };
  std::vector<std::vector<std::size_t>> out;
  for (const Axis& axis : grid.axes) {
    const auto ours = [&axis](FieldId field) {
      return std::find(axis.fields.begin(), axis.fields.end(), field) != axis.fields.end();
    };
    std::unordered_map<std::string, std::size_t> known;
    std::vector<std::size_t> leaders;
    for (std::size_t i = 0; i < axis.points.size(); ++i) {
      Config config;
      config.form = grid.form;
      for (const auto& [field, number] : axis.points[i]) config.choose(field, number);
      std::string text;
      for (const FieldId field : axis.fields) text += effective(config, field).present ? 'p' : '-';
      for (const MappingRule* row : places.rows) {
        const FieldId field = field_of(row);
        if (ours(field)) {
          Setting setting = effective(config, field);
          if (field == FieldId::kMethod) {
            const MethodChoice choice = choose_method(config, rows);
            if (choice.chain.size() > 1) text += "chain " + std::to_string(i);
            setting.number = choice.option;
          }
          const bool match = is_one_of(field_info(field), setting, row->options);
          text += match ? '1' : '0';
          bool spelt = row->same_as != kNoField;
          for (const Alternative& candidate : row->candidates) {
            for (const Assignment& emission : candidate.emissions) spelt |= emission.asked;
          }
          if (match && spelt) text += spelled(field, setting);
        }
        for (const Condition& condition : row->when) {
          if (!ours(condition.field)) continue;
          const Setting setting = effective(config, condition.field);
          text += is_one_of(field_info(condition.field), setting, condition.options) ? 'y' : 'n';
        }
        if (row->same_as != kNoField && ours(row->same_as)) {
          text += spelled(row->same_as, effective(config, row->same_as));
        }
      }
      leaders.push_back(known.try_emplace(text, i).first->second);
    }
    out.push_back(std::move(leaders));
  }
  return out;
}

}  // namespace quantmap::proof
