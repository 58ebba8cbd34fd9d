#include "plan/configs.hpp"

#include <algorithm>
#include <unordered_map>

#include "quantmap/base/json_io.hpp"
#include "quantmap/catalog/codes.hpp"
#include "quantmap/config/method.hpp"
#include "quantmap/config/resolve.hpp"
#include "quantmap/config/validate.hpp"

namespace quantmap {

namespace {

constexpr std::size_t kMostCombinations = 1'000'000;

// A method stands in an experiment matrix where a preset could: it is a config of its own.
bool is_method(const Value& value) {
  return value.is_text() && find_preset(value.as_text()) == nullptr &&
         find_option(field_info(FieldId::kMethod), value.as_text()) >= 0;
}

// Equal for values that are spelt alike; what JSON cannot hold is like nothing else.
std::string key_of(const Value& value) {
  return std::to_string(static_cast<int>(value.kind())) + write_json(value) + value.as_text();
}

void set_leaf(Value& config, const Field& field, const Value& value) {
  if (field.section.empty()) {
    config.set(std::string(field.key), value);
    return;
  }
  Value rebuilt = Value::object();
  bool found = false;
  for (const auto& [key, member] : config.members()) {
    Value copy = member;
    if (key == field.section) {
      if (copy.is_null()) copy = Value::object();
      copy.set(std::string(field.key), value);
      found = true;
    }
    rebuilt.set(key, std::move(copy));
  }
  if (!found) {
    Value section = Value::object();
    section.set(std::string(field.key), value);
    rebuilt.set(std::string(field.section), std::move(section));
  }
  config = std::move(rebuilt);
}

}  // namespace

std::optional<Count> product(Count a, Count b) {
  if (a != 0 && b > kMostPoints / a) return std::nullopt;
  return a * b;
}

ConfigSpace::ConfigSpace(const Task& task, const Engine& engine, Diagnostics& problems)
    : task_(task), defaults_(options_of(Config{})) {
  const auto add = [&](const TaskAxis& axis) {
    if (axis.is_for(engine)) axes_.push_back(read_axis(axis));
  };
  for (const TaskAxis& axis : task.presets) add(axis);
  has_presets_ = !axes_.empty();
  for (const TaskAxis& axis : task.fields) {
    add(axis);
    four_field_ = four_field_ && field_info(axis.field).form == Form::kFourField;
  }
  const auto of_four_fields = [](const std::string& key) {
    const auto& fields = catalog().fields;
    return std::any_of(fields.begin(), fields.end(), [&key](const Field& field) {
      return field.form == Form::kFourField && field.section.empty() && field.key == key;
    });
  };
  four_field_ = four_field_ && task.sections.empty();
  four_field_ = four_field_ && std::all_of(task.nulls.begin(), task.nulls.end(), of_four_fields);
  strides_.assign(axes_.size(), 1);
  for (std::size_t i = axes_.size(); i-- > 0;) {
    Axis& axis = axes_[i];
    for (const ConfigValue& value : axis.values) axis.good += value.weight;
    strides_[i] = size_;
    const auto points = product(total_, axis.total);
    if (!points || (size_ *= axis.values.size()) > kMostCombinations) {
      const bool combinations = points.has_value();
      problems.add(Code::kTooManyPoints, axis.task->path,
                   {{"known", std::to_string(combinations ? kMostCombinations : kMostPoints)}});
      return;
    }
    total_ = *points;
  }
  collect_bad();
}

ConfigSpace::Axis ConfigSpace::read_axis(const TaskAxis& task) const {
  Axis axis;
  axis.task = &task;
  axis.total = task.values.size();
  std::unordered_map<std::string, std::size_t> known;
  for (std::size_t i = 0; i < task.values.size(); ++i) {
    const Value& value = task.values[i];
    ConfigValue made{value, i, 1, -1};
    if (task.field == kNoField) {
      if (std::optional<Diagnostic> problem = preset_problem(task, value)) {
        problem->path = task.path_of(i);
        axis.bad.emplace_back(i, std::move(*problem));
        continue;
      }
    } else if (!value.is_null()) {
      Diagnostics problems;
      const Path root(task.path);
      const Path inside(root, i);
      const auto setting = read_setting(field_info(task.field), value, task.is_list ? inside : root, problems);
      if (!setting) {
        axis.bad.emplace_back(i, problems.all().front());
        continue;
      }
      made.option = setting->number;
    }
    const auto [place, is_new] = known.try_emplace(key_of(value), axis.values.size());
    if (is_new) {
      axis.values.push_back(std::move(made));
    } else {
      ++axis.values[place->second].weight;
    }
  }
  return axis;
}

// A preset by itself: its name is known. Whether it goes with the fields beside it is seen for each combination.
std::optional<Diagnostic> ConfigSpace::preset_problem(const TaskAxis& axis, const Value& preset) {
  if (preset.is_null() || (axis.may_be_method && is_method(preset))) return std::nullopt;
  Value alone = Value::object();
  alone.set(std::string(catalog().keys.preset), preset);
  Diagnostics problems;
  if (resolve(alone, Path("$"), problems)) return std::nullopt;
  const auto& all = problems.all();
  return *std::find_if(all.begin(), all.end(),
                       [](const Diagnostic& diagnostic) { return diagnostic.text().severity == Severity::kError; });
}

// Counts the points of every bad value: those before it good, those after it anything.
void ConfigSpace::collect_bad() {
  Count before = 1;
  for (std::size_t i = 0; i < axes_.size(); ++i) {
    const Axis& axis = axes_[i];
    Count after = 1;
    for (std::size_t k = i + 1; k < axes_.size(); ++k) after *= axes_[k].total;
    for (const auto& [index, cause] : axis.bad) {
      if (before * after == 0) continue;
      std::vector<const Value*> values(axes_.size(), nullptr);
      for (std::size_t k = 0; k < axes_.size(); ++k) {
        values[k] = k < i    ? &axes_[k].values.front().value
                    : k == i ? &axis.task->values[index]
                             : &axes_[k].task->values.front();
      }
      bad_.push_back({cause, before * after, build(values)});
    }
    before *= axis.good;
  }
}

std::size_t ConfigSpace::digit(std::size_t combination, std::size_t axis) const {
  return combination / strides_[axis] % axes_[axis].values.size();
}

Count ConfigSpace::weight(std::size_t combination) const {
  Count out = 1;
  for (std::size_t i = 0; i < axes_.size(); ++i) out *= axes_[i].values[digit(combination, i)].weight;
  return out;
}

Value ConfigSpace::build(const std::vector<const Value*>& values) const {
  Value out = Value::object();
  for (const std::string& key : task_.nulls) out.set(key, Value());
  for (const std::string& section : task_.sections) out.set(section, Value::object());
  for (std::size_t i = 0; i < axes_.size(); ++i) {
    if (values[i] == nullptr || values[i]->is_null()) continue;
    if (axes_[i].task->field != kNoField) {
      set_leaf(out, field_info(axes_[i].task->field), *values[i]);
    } else if (axes_[i].task->may_be_method && is_method(*values[i])) {
      set_leaf(out, field_info(FieldId::kMethod), *values[i]);
    } else {
      out.set(std::string(catalog().keys.preset), *values[i]);
    }
  }
  return out;
}

Value ConfigSpace::config(std::size_t combination) const {
  std::vector<const Value*> values(axes_.size(), nullptr);
  for (std::size_t i = 0; i < axes_.size(); ++i) values[i] = &axes_[i].values[digit(combination, i)].value;
  return build(values);
}

std::string ConfigSpace::path_in_task(const std::string& path, std::size_t combination) const {
  if (path == "$" && has_presets_) {  // the preset and the fields beside it have different forms
    return axes_.front().task->path_of(axes_.front().values[digit(combination, 0)].index);
  }
  for (std::size_t i = 0; i < axes_.size(); ++i) {
    if (axes_[i].task->field == kNoField) continue;
    const Field& field = field_info(axes_[i].task->field);
    const auto is_required = [&](const Section& section) {
      return section.id == field.section && section.required_key == field.key && path == "$." + std::string(section.id);
    };
    const auto& sections = catalog().sections;
    if (path == "$." + dotted_key(field) || std::any_of(sections.begin(), sections.end(), is_required)) {
      return axes_[i].task->path_of(axes_[i].values[digit(combination, i)].index);
    }
  }
  return task_.config_path + path.substr(1);
}

Grid::Options ConfigSpace::options_of(const Config& config) {
  Grid::Options out{};
  for (std::size_t i = 0; i < kGridFields; ++i) {
    out[i] = static_cast<std::uint8_t>(effective(config, static_cast<FieldId>(i)).number);
  }
  return out;
}

std::optional<Grid::Options> ConfigSpace::options(std::size_t combination) const {
  if (!four_field_) return std::nullopt;
  Grid::Options out = defaults_;
  std::size_t axis = 0;
  if (has_presets_) {
    const Value& name = axes_.front().values[digit(combination, 0)].value;
    const Preset* preset = name.is_text() ? find_preset(name.as_text()) : nullptr;
    if (!name.is_null() && (preset == nullptr || preset->form != Form::kFourField)) return std::nullopt;
    if (preset != nullptr) out = options_of(preset_config(*preset));
    axis = 1;
  }
  for (; axis < axes_.size(); ++axis) {
    const ConfigValue& value = axes_[axis].values[digit(combination, axis)];
    if (value.option >= 0) out[index_of(axes_[axis].task->field)] = static_cast<std::uint8_t>(value.option);
  }
  return out;
}

}  // namespace quantmap
