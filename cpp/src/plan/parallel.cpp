#include "quantmap/plan/parallel.hpp"
#include "quantmap/catalog/codes.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>

#include "quantmap/base/text.hpp"
#include "quantmap/catalog/parallel.hpp"
#include "quantmap/config/validate.hpp"

namespace quantmap {

namespace {

class ParallelReader {
 public:
  ParallelReader(const Engine& engine, Diagnostics& problems) : engine_(engine), problems_(problems) {
    for (const ParallelEngine& known : parallel_engines()) {
      if (known.engine == engine.id) table_ = &known;
    }
  }

  std::vector<TaskAxis> read(const Value& config, const Path& path) {
    if (config.is_null()) return {};
    if (!config.is_object()) {
      report_wrong_type(config, "an object of parallel sizes", path, problems_);
      return {};
    }
    const ConfigKeys& keys = catalog().keys;
    for (const std::string_view key : {keys.preset, keys.presets}) {
      const Value* names = config.find(key);
      if (names != nullptr && !names->is_null()) read_preset(*names, Path(path, key));
    }
    for (const auto& [key, value] : config.members()) {
      if (key != keys.preset && key != keys.presets && !value.is_null()) read_size(key, value, Path(path, key));
    }
    return std::move(axes_);
  }

 private:
  const ParallelField* find(std::string_view key) const {
    if (table_ == nullptr) return nullptr;
    const auto found = std::find_if(table_->fields.begin(), table_->fields.end(),
                                    [key](const ParallelField& field) { return field.key == key; });
    return found == table_->fields.end() ? nullptr : &*found;
  }

  static bool is_known(std::string_view key) {
    const auto has = [key](const ParallelEngine& engine) {
      return std::any_of(engine.fields.begin(), engine.fields.end(),
                         [key](const ParallelField& field) { return field.key == key; });
    };
    const auto engines = parallel_engines();
    return std::any_of(engines.begin(), engines.end(), has);
  }

  // Several sizes at once are no axis of one flag: one preset, given by name.
  void read_preset(const Value& given, const Path& path) {
    const bool one = given.is_array() && given.items().size() == 1;
    const Value& name = one ? given.items().front() : given;
    if (!name.is_text()) {
      const std::string got = name.is_array() ? std::to_string(name.items().size()) + " names" : name.describe();
      problems_.add(Code::kWrongType, path.str(),
                    {{"expected", "one preset of parallel sizes"},
                     {"got", got},
                     {"hint", "plan each preset by itself, or list the sizes"}});
      return;
    }
    std::vector<std::string_view> known;
    for (const ParallelPreset& preset : table_ == nullptr ? std::span<const ParallelPreset>() : table_->presets) {
      known.push_back(preset.id);
      if (preset.id != name.as_text()) continue;
      for (const ParallelSize& size : preset.sizes) {
        add(*find(size.key), {Value::integer(std::to_string(size.size))}, path.str(), false);
      }
      return;
    }
    problems_.add(Code::kUnknownPreset, path.str(),
                  {{"value", quote(name.as_text())},
                   {"known", known.empty() ? "no preset" : join(known)},
                   {"hint", did_you_mean(name.as_text(), known)}});
  }

  void read_size(const std::string& key, const Value& value, const Path& path) {
    const std::vector<Value> values = value.is_array() ? value.items() : std::vector<Value>{value};
    if (const ParallelField* field = find(key)) {
      if (values.empty()) {
        problems_.add(Code::kEmptyList, path.str());
      } else {
        add(*field, values, path.str(), value.is_array());
      }
      return;
    }
    if (is_known(key) && std::all_of(values.begin(), values.end(), says_nothing)) return;
    std::vector<std::string_view> keys;
    for (const ParallelField& field : table_ == nullptr ? std::span<const ParallelField>() : table_->fields) {
      keys.push_back(field.key);
    }
    const std::string hint =
        is_known(key) ? std::string(engine_.name) + " has: " + join(keys) : did_you_mean(key, keys);
    problems_.add(Code::kUnknownKey, path.str(), {{"value", quote(key)}, {"hint", hint}});
  }

  static bool says_nothing(const Value& value) {
    if (value.kind() == Value::Kind::kBoolean) return !value.as_boolean();
    return value.is_null() || (value.kind() == Value::Kind::kInteger && value.as_text() == "1");
  }

  // A size given beside a preset overrides it.
  void add(const ParallelField& field, const std::vector<Value>& values, const std::string& path, bool is_list) {
    TaskAxis axis;
    axis.path = path;
    axis.key = field.flag.substr(2);
    axis.is_list = is_list;
    for (const Value& value : values) axis.values.push_back(as_given(field, value));
    std::erase_if(axes_, [&axis](const TaskAxis& other) { return other.key == axis.key; });
    axes_.push_back(std::move(axis));
  }

  static Value as_given(const ParallelField& field, const Value& value) {
    if (field.is_switch) return says_nothing(value) && !is_one(value) ? Value() : Value::boolean(true);
    const bool unset =
        field.unset != 0 && value.kind() == Value::Kind::kInteger && value.as_text() == std::to_string(field.unset);
    return unset ? Value() : value;
  }
  static bool is_one(const Value& value) { return value.kind() == Value::Kind::kInteger; }

  const Engine& engine_;
  Diagnostics& problems_;
  const ParallelEngine* table_ = nullptr;
  std::vector<TaskAxis> axes_;
};

}  // namespace

std::vector<TaskAxis> parallel_axes(const Value& config, const Engine& engine, const Path& path,
                                    Diagnostics& problems) {
  return ParallelReader(engine, problems).read(config, path);
}

Task with_parallel(Task task, const Engine& engine, Diagnostics& problems) {
  const Path root("$");
  std::vector<TaskAxis> axes = parallel_axes(task.parallel, engine, Path(root, kParallelKey), problems);
  task.parameters.insert(task.parameters.begin(), std::make_move_iterator(axes.begin()),
                         std::make_move_iterator(axes.end()));
  return task;
}

}  // namespace quantmap
