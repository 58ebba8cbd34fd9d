#include "launches.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "convert.hpp"
#include "fast_parameters.hpp"
#include "quantmap/mapping/map.hpp"

namespace quantmap::bindings {

namespace {

constexpr std::size_t kMostChecked = 20'000;  // launches kept for checked deployments, some 15 MB

struct FourField {
  FieldId field;
  std::string_view key;
  std::span<const Option> options;
  std::size_t stride;
  std::size_t fallback;  // the default's option
};

struct State {
  std::array<FourField, 4> fields{};
  std::size_t combinations = 1;
  std::size_t defaults = 0;                            // the combination of an empty config
  std::vector<std::atomic<const Launch*>> documented;  // engine × quantized × combination
  std::unordered_map<std::uint64_t, const Launch*> checked;
  std::mutex checked_mutex;

  State() {
    std::size_t count = 0;
    for (const Field& field : catalog().fields) {
      if (field.form != Form::kFourField) continue;
      const auto fallback = static_cast<std::size_t>(field.default_option);
      fields.at(count++) = {field.field, field.key, field.options, combinations, fallback};
      defaults += fallback * combinations;
      combinations *= field.options.size();
    }
    documented = std::vector<std::atomic<const Launch*>>(catalog().engines.size() * 2 * combinations);
  }
};

State& state() {
  static State* instance = new State();  // never freed: it holds Python objects
  return *instance;
}

Config config_of(std::size_t combination) {
  Config config;
  for (const FourField& field : state().fields) {
    config.choose(field.field, static_cast<std::int64_t>(combination / field.stride % field.options.size()));
  }
  return config;
}

const Launch* make_launch(std::size_t engine, const Deployment& deployment, std::size_t combination) {
  const auto& kinds = catalog().checkpoint_kinds;
  ModelQuantization model{deployment.checkpoint != 0, {}, true};
  if (model.quantized && !kinds[deployment.checkpoint].names.empty()) {
    model.method = kinds[deployment.checkpoint].names.front();
  }
  Mapping mapping = map_config(config_of(combination), catalog().engines[engine], model, deployment);
  if (!deployment.checked) report_never_accepted(mapping);
  auto launch = std::make_unique<Launch>();
  py::dict arguments;
  for (const Argument& argument : mapping.arguments) {
    PyObject* flag = text(argument.flag).release().ptr();
    PyUnicode_InternInPlace(&flag);
    arguments[py::reinterpret_steal<py::str>(flag)] = to_argument(argument.value);
  }
  launch->values = std::move(mapping.values);
  launch->warns = false;
  for (const Diagnostic& diagnostic : mapping.diagnostics.all()) {
    launch->warns |= diagnostic.text().severity != Severity::kInfo;
  }
  launch->arguments = arguments.release().ptr();
  return launch.release();
}

void drop(const Launch* launch) {
  Py_DECREF(launch->arguments);
  delete launch;
}

const Launch* find_documented(std::size_t engine, const Deployment& deployment, std::size_t combination) {
  State& all = state();
  const std::size_t quantized = deployment.checkpoint != 0 ? 1 : 0;
  std::atomic<const Launch*>& place = all.documented[(engine * 2 + quantized) * all.combinations + combination];
  const Launch* known = place.load(std::memory_order_acquire);
  if (known != nullptr) return known;
  const Launch* made = make_launch(engine, deployment, combination);
  if (place.compare_exchange_strong(known, made, std::memory_order_acq_rel)) return made;
  drop(made);  // another thread was first
  return known;
}

}  // namespace

long read_combination(PyObject* config) {
  const State& all = state();
  if (config == Py_None) return static_cast<long>(all.defaults);
  if (!PyDict_CheckExact(config)) return -1;
  std::size_t combination = all.defaults;
  bool plain = true;
  Py_BEGIN_CRITICAL_SECTION(config);
  PyObject* key = nullptr;
  PyObject* value = nullptr;
  Py_ssize_t position = 0;
  while (plain && PyDict_Next(config, &position, &key, &value) != 0) {
    const std::string_view name = ascii(key);
    const std::string_view word = ascii(value);
    plain = false;
    for (const FourField& field : all.fields) {
      if (field.key != name) continue;
      for (std::size_t i = 0; i < field.options.size(); ++i) {
        if (field.options[i].id != word) continue;
        combination += (i - field.fallback) * field.stride;  // modulo 2^64: exact
        plain = true;
        break;
      }
      break;
    }
  }
  Py_END_CRITICAL_SECTION();
  return plain ? static_cast<long>(combination) : -1;
}

const Launch* find_launch(std::size_t engine, const Deployment& deployment, std::size_t combination) {
  if (!deployment.checked) return find_documented(engine, deployment, combination);
  State& all = state();
  std::uint64_t key = engine;
  key = key * 4096 + deployment.release;
  key = key * 64 + deployment.checkpoint;
  key = key * 64 + deployment.gpu;
  key = key * 4096 + combination;
  {
    const std::lock_guard lock(all.checked_mutex);
    const auto known = all.checked.find(key);
    if (known != all.checked.end()) return known->second;
    if (all.checked.size() >= kMostChecked) return nullptr;
  }
  const Launch* made = make_launch(engine, deployment, combination);  // outside the lock: it makes Python objects
  const Launch* kept = nullptr;
  {
    const std::lock_guard lock(all.checked_mutex);
    kept = all.checked.emplace(key, made).first->second;
  }
  if (kept != made) drop(made);  // another thread was first
  return kept;
}

}  // namespace quantmap::bindings
