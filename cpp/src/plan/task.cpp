#include "quantmap/plan/task.hpp"
#include "quantmap/catalog/codes.hpp"

#include <algorithm>
#include <charconv>

#include "plan/structured.hpp"
#include "quantmap/base/text.hpp"
#include "quantmap/config/method.hpp"
#include "quantmap/config/validate.hpp"
#include "quantmap/mapping/launch.hpp"

namespace quantmap {

namespace {

constexpr std::string_view kConfigKeys[] = {"quant_config", "quantization_config"};
constexpr std::string_view kParameters = "parameters";
constexpr std::string_view kPresetParameter = "quantization_preset";
constexpr std::string_view kMatrix = "experiment_matrix";
constexpr std::string_view kPicking = "bayesian";  // the strategy that picks its points itself: its plan is its space
constexpr std::string_view kEveryEngine = "all";
// Keys that mean something to the planner, and keys that are the autotuner's own.
constexpr std::string_view kRead[] = {"task_name", "base_runtime", "runtime_image_tag", "model", "optimization"};
constexpr std::string_view kPassed[] = {"description",
                                        "benchmark",
                                        "slo",
                                        "metrics",
                                        "slo_constraints",
                                        "deployment_mode",
                                        "storage",
                                        "clusterbasemodel_config",
                                        "clusterservingruntime_config"};

// The dimensions of an experiment matrix, and the field that each sets; kNoField: a preset.
struct Dimension {
  std::string_view name;
  FieldId field;
};
constexpr Dimension kDimensions[] = {
    {"quantization_method", kNoField}, {"kv_cache_dtype", FieldId::kKvDtype}, {"tensor_parallel_size", FieldId::kTp}};

template <typename Range>
bool has(const Range& range, std::string_view key) {
  return std::find(std::begin(range), std::end(range), key) != std::end(range);
}

const Value* given(const Value& object, std::string_view key) {
  const Value* value = object.find(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

// Whether the reader of the input stopped somewhere below: what came after is missing, so nothing could be counted.
bool is_cut(const Value& value) {
  if (value.kind() == Value::Kind::kBroken) return value.problem() == Code::kTooLarge;
  return std::any_of(value.items().begin(), value.items().end(), is_cut) ||
         std::any_of(value.members().begin(), value.members().end(),
                     [](const Value::Member& member) { return is_cut(member.second); });
}

class Reader {
 public:
  explicit Reader(Diagnostics& problems) : problems_(problems) {}

  std::optional<Task> read(const Value& input) {
    const Path root("$");
    if (is_cut(input)) {
      problems_.add(Code::kOverLimit, root.str(),
                    {{"got", "the task"}, {"known", std::to_string(kMaxNodes) + " values"}});
      return std::nullopt;
    }
    if (!input.is_object()) {
      report_no_object(input, root);
      return std::nullopt;
    }
    const bool is_task = std::any_of(input.members().begin(), input.members().end(),
                                     [](const Value::Member& member) { return is_task_key(member.first); });
    if (is_task) {
      read_members(input, root);
    } else {
      read_config(input, root);
    }
    if (problems_.has_errors()) return std::nullopt;
    return std::move(task_);
  }

 private:
  static bool is_task_key(std::string_view key) {
    return key == kParameters || key == kMatrix || key == kParallelKey || has(kConfigKeys, key) || has(kRead, key);
  }

  void read_members(const Value& input, const Path& root) {
    const Value* config = nullptr;
    std::string_view config_key;
    for (const auto& [key, value] : input.members()) {
      const Path here(root, key);
      if (value.kind() == Value::Kind::kBroken && value.problem() == Code::kNonStringKey) {
        report_wrong_type(value, {}, here, problems_);
      } else if (has(kConfigKeys, key)) {
        if (value.is_null()) continue;
        if (config != nullptr) {
          problems_.add(Code::kDuplicateWrapper, here.str(), {{"first", std::string(config_key)}, {"second", key}});
        }
        config = &value;
        config_key = key;
      } else if (!is_task_key(key) && !has(kPassed, key)) {
        problems_.add(Code::kUnknownTaskKey, here.str(), {{"value", quote(key)}, {"hint", hint_for(key)}});
      }
    }
    const auto take = [&input](std::string_view key) {
      const Value* value = given(input, key);
      return value == nullptr ? Value() : *value;
    };
    task_.name = take("task_name");
    task_.runtime = take("base_runtime");
    task_.image_tag = take("runtime_image_tag");
    task_.model = take("model");
    task_.benchmark = take("benchmark");
    task_.parallel = take(kParallelKey);
    if (config != nullptr) read_config(*config, Path(root, config_key));
    if (const Value* parameters = given(input, kParameters)) read_parameters(*parameters, Path(root, kParameters));
    if (const Value* matrix = given(input, kMatrix)) read_matrix(*matrix, Path(root, kMatrix));
    if (const Value* optimization = given(input, "optimization")) {
      read_limit(*optimization, Path(root, "optimization"));
    }
  }

  static std::string hint_for(const std::string& key) {
    std::vector<std::string_view> known{kParameters, kMatrix, kParallelKey};
    known.insert(known.end(), std::begin(kConfigKeys), std::end(kConfigKeys));
    known.insert(known.end(), std::begin(kRead), std::end(kRead));
    known.insert(known.end(), std::begin(kPassed), std::end(kPassed));
    return did_you_mean(key, known);
  }

  void report_no_object(const Value& value, const Path& path) {
    if (value.kind() == Value::Kind::kBroken) {
      report_wrong_type(value, {}, path, problems_);
    } else {
      problems_.add(Code::kNotAnObject, path.str(), {{"got", value.describe()}});
    }
  }

  // The axis of a key: the list's items, or the one value.
  std::optional<TaskAxis> axis_of(std::string key, const Value& value, const Path& path) {
    TaskAxis axis;
    axis.path = path.str();
    axis.key = std::move(key);
    axis.is_list = value.is_array();
    if (!axis.is_list) {
      axis.values.push_back(value);
    } else if (value.items().empty()) {
      problems_.add(Code::kEmptyList, axis.path);
      return std::nullopt;
    } else {
      axis.values = value.items();
    }
    return axis;
  }

  void add_presets(std::string_view key, const Value& value, const Path& path) {
    std::optional<TaskAxis> axis = axis_of(std::string(key), value, path);
    if (!axis) return;
    if (!task_.presets.empty()) {
      problems_.add(Code::kAxisGivenTwice, axis->path, {{"first", task_.presets.front().path}});
    }
    task_.presets.push_back(std::move(*axis));
  }

  void add_field(const Field& field, const Value& value, const Path& path) {
    std::optional<TaskAxis> axis = axis_of(dotted_key(field), value, path);
    if (!axis) return;
    axis->field = field.field;
    task_.fields.push_back(std::move(*axis));
  }

  // A config whose values may be lists. Its structure is judged here, by the validator, with every value taken out.
  void read_config(const Value& config, const Path& path) {
    const ConfigKeys& keys = catalog().keys;
    if (!config.is_object()) return report_no_object(config, path);
    if (const Value* inner = given(config, keys.wrapper)) {
      for (const auto& [key, value] : config.members()) {
        if (key == keys.wrapper || value.is_null()) continue;
        problems_.add(Code::kWrapperBesideFields, Path(path, key).str(),
                      {{"wrapper", quote(keys.wrapper)}, {"value", quote(key)}});
      }
      const Path here(path, keys.wrapper);
      if (!inner->is_object()) return report_no_object(*inner, here);
      if (given(*inner, keys.wrapper) != nullptr) {
        problems_.add(Code::kDuplicateWrapper, Path(here, keys.wrapper).str(),
                      {{"first", std::string(keys.wrapper)}, {"second", std::string(keys.wrapper)}});
        return;
      }
      return read_fields(*inner, here);
    }
    read_fields(config, path);
  }

  void read_fields(const Value& config, const Path& path) {
    const ConfigKeys& keys = catalog().keys;
    task_.config_path = path.str();
    check_structure(config, path);
    task_.config = config;
    for (const std::string_view key : {keys.preset, keys.presets}) {
      if (const Value* value = given(config, key)) add_presets(key, *value, Path(path, key));
    }
    const auto note = [&](std::string_view key, bool section) {
      const Value* value = config.find(key);
      if (value == nullptr) return;
      if (value->is_null()) task_.nulls.emplace_back(key);
      if (section && !value->is_null()) task_.sections.emplace_back(key);
    };
    for (const Section& section : catalog().sections) note(section.id, true);
    for (const Field& field : catalog().fields) {
      if (field.section.empty()) note(field.key, false);
      const Value* place = field.section.empty() ? &config : given(config, field.section);
      const Value* value = place == nullptr || !place->is_object() ? nullptr : given(*place, field.key);
      if (value == nullptr) continue;
      const Path section(path, field.section);
      add_field(field, *value, Path(field.section.empty() ? path : section, field.key));
    }
  }

  void check_structure(const Value& config, const Path& path) {
    Value bare = Value::object();
    for (const Value::Member& member : config.members()) {
      const std::string& key = member.first;
      const Value& value = member.second;
      const auto& sections = catalog().sections;
      const bool section =
          std::any_of(sections.begin(), sections.end(), [&key](const Section& known) { return known.id == key; });
      const bool unreadable = value.kind() == Value::Kind::kBroken && value.problem() == Code::kNonStringKey;
      if (section && value.is_object()) {
        Value inner = Value::object();
        for (const auto& [name, leaf] : value.members()) {
          const bool odd = leaf.kind() == Value::Kind::kBroken && leaf.problem() == Code::kNonStringKey;
          inner.set(name, odd ? leaf : Value());
        }
        bare.set(key, std::move(inner));
      } else {
        bare.set(key, section || unreadable ? value : Value());
      }
    }
    static_cast<void>(validate(bare, path, problems_));
  }

  void read_parameters(const Value& parameters, const Path& path) {
    if (!parameters.is_object()) return report_no_object(parameters, path);
    for (const auto& [key, value] : parameters.members()) {
      const Path here(path, key);
      if (value.kind() == Value::Kind::kBroken && value.problem() == Code::kNonStringKey) {
        report_wrong_type(value, {}, here, problems_);
      } else if (key == kPresetParameter) {
        if (!value.is_null()) add_presets(key, value, here);
      } else {
        read_parameter(key, value, here);
      }
    }
  }

  void read_parameter(const std::string& key, const Value& given, const Path& path) {
    std::string place;
    const std::size_t before = problems_.all().size();
    const Value values = searched_values(given, path, place, problems_);
    if (problems_.all().size() > before) return;
    std::optional<TaskAxis> axis = axis_of(key, values, path);
    if (!axis) return;
    axis->path += place;
    task_.parameters.push_back(std::move(*axis));
  }

  void read_matrix(const Value& matrix, const Path& path) {
    task_.has_matrix = true;
    if (!matrix.is_array()) return report_wrong_type(matrix, "a list of dimensions", path, problems_);
    if (!task_.presets.empty() || !task_.fields.empty() || !task_.sections.empty()) {
      problems_.add(Code::kAxisGivenTwice, path.str(), {{"first", task_.config_path}});
      return;
    }
    for (std::size_t i = 0; i < matrix.items().size(); ++i) read_dimension(matrix.items()[i], Path(path, i));
    std::stable_sort(task_.fields.begin(), task_.fields.end(),
                     [](const TaskAxis& a, const TaskAxis& b) { return index_of(a.field) < index_of(b.field); });
  }

  void read_dimension(const Value& item, const Path& path) {
    if (!item.is_object()) return report_no_object(item, path);
    const Dimension* known = find_dimension(item, path);
    if (known == nullptr) return;
    const Value* values = given(item, "values");
    const Path values_path(path, "values");
    if (values == nullptr || !values->is_array()) {
      return report_wrong_type(values == nullptr ? Value() : *values, "a list of values", values_path, problems_);
    }
    std::optional<TaskAxis> axis = axis_of(std::string(known->name), *values, values_path);
    if (!axis) return;
    axis->field = known->field;
    axis->may_be_method = known->field == kNoField;
    if (!read_engines(item, Path(path, "engines"), *axis)) return;
    std::vector<TaskAxis>& axes = known->field == kNoField ? task_.presets : task_.fields;
    for (const TaskAxis& other : axes) {
      if (other.field != axis->field || !overlap(other, *axis)) continue;
      problems_.add(Code::kAxisGivenTwice, axis->path, {{"first", other.path}});
    }
    axes.push_back(std::move(*axis));
  }

  // The dimension that an item of the matrix names; null when it names none, which is told.
  const Dimension* find_dimension(const Value& item, const Path& path) {
    const Value* name = given(item, "dimension");
    const Path here(path, "dimension");
    if (name == nullptr || !name->is_text()) {
      report_wrong_type(name == nullptr ? Value() : *name, "the name of a dimension", here, problems_);
      return nullptr;
    }
    std::vector<std::string_view> names;
    for (const Dimension& dimension : kDimensions) {
      if (dimension.name == name->as_text()) return &dimension;
      names.push_back(dimension.name);
    }
    std::string hint = did_you_mean(name->as_text(), names);
    problems_.add(Code::kUnknownDimension, here.str(),
                  {{"value", quote(name->as_text())}, {"known", join(names)}, {"hint", hint}});
    return nullptr;
  }

  static bool overlap(const TaskAxis& a, const TaskAxis& b) {
    if (a.engines.empty() || b.engines.empty()) return true;
    return std::any_of(a.engines.begin(), a.engines.end(),
                       [&b](const std::string& name) { return has(b.engines, name); });
  }

  // The engines that a dimension is for, by id.
  bool read_engines(const Value& item, const Path& path, TaskAxis& axis) {
    const Value* list = given(item, "engines");
    bool all = list == nullptr;
    if (list != nullptr && !list->is_array()) {
      report_wrong_type(*list, "a list of engines", path, problems_);
      return false;
    }
    for (std::size_t i = 0; list != nullptr && i < list->items().size(); ++i) {
      const Value& name = list->items()[i];
      if (name.is_text() && name.as_text() == kEveryEngine) {
        all = true;
        continue;
      }
      std::string version;
      const Engine* engine = read_runtime(name, version, problems_);
      if (engine == nullptr) return false;
      axis.engines.emplace_back(engine->id);
      if (!has(task_.matrix_engines, engine->id)) task_.matrix_engines.emplace_back(engine->id);
    }
    if (all) {
      axis.engines.clear();
      task_.matrix_for_all = true;
    }
    return true;
  }

  void read_limit(const Value& optimization, const Path& path) {
    if (!optimization.is_object()) return report_no_object(optimization, path);
    const Value* limit = given(optimization, "max_iterations");
    if (limit == nullptr) return;
    const Path here(path, "max_iterations");
    std::uint64_t number = 0;
    const std::string& digits = limit->as_text();
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    const bool whole = limit->kind() == Value::Kind::kInteger && error == std::errc() &&
                       end == digits.data() + digits.size() && number > 0;
    if (!whole) return report_wrong_type(*limit, "a positive integer", here, problems_);
    const Value* strategy = given(optimization, "strategy");
    const bool picks = strategy != nullptr && strategy->is_text() && strategy->as_text() == kPicking;
    if (!picks) task_.max_iterations = number;
  }

  Diagnostics& problems_;
  Task task_;
};

}  // namespace

std::string TaskAxis::path_of(std::size_t index) const {
  return is_list ? path + "[" + std::to_string(index) + "]" : path;
}

bool TaskAxis::is_for(const Engine& engine) const { return engines.empty() || has(engines, engine.id); }

std::optional<Task> read_task(const Value& input, Diagnostics& problems) { return Reader(problems).read(input); }

std::optional<Task> read_launch_task(const Value& input, Diagnostics& problems) {
  std::optional<Task> task = read_task(input, problems);
  if (!task || !task->has_matrix) return task;
  problems.add(Code::kListOfValues, "$." + std::string(kMatrix));
  return std::nullopt;
}

}  // namespace quantmap
