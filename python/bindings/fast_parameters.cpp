#include "fast_parameters.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "convert.hpp"
#include "quantmap/base/text.hpp"
#include "quantmap/deployment/verdict.hpp"
#include "quantmap/mapping/merge.hpp"

namespace quantmap::bindings {

namespace {

constexpr Py_ssize_t kFastText = 4096;       // longer texts are checked by the slow path
constexpr std::size_t kFastParameters = 32;  // more parameters likewise
constexpr std::size_t kKnownNames = 4096;    // parameter names kept

// What a parameter's name means for one engine, or one release of it.
struct ParameterName {
  PyObject* spelling = nullptr;        // interned: how it is written when it is new
  PyObject* identity = nullptr;        // interned: which argument it is
  const FlagInterval* flag = nullptr;  // checked mode: what the release accepts
  int target = -1;                     // checked mode: what rules know it by
};

struct Hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
};
using Names = std::unordered_map<std::string, ParameterName, Hash, std::equal_to<>>;

// Every name seen, by engine and release; entries are never removed, so that pointers to them stay good.
struct Memory {
  std::unordered_map<std::size_t, Names> tables;
  std::size_t count = 0;
  std::mutex mutex;
};

Memory& memory() {
  static Memory* instance = new Memory();  // never freed: it holds Python objects
  return *instance;
}

PyObject* interned(const std::string& word) {
  PyObject* made = text(word).release().ptr();
  PyUnicode_InternInPlace(&made);
  return made;
}

// The target that rules know the flag by, or -1.
int target_of(const Engine& engine, std::string_view flag) {
  for (std::size_t t = 0; t < engine.checked.targets.size(); ++t) {
    for (const Channel& route : engine.checked.targets[t].routes) {
      if (route.kind == ChannelKind::kFlag && route.name == flag) return static_cast<int>(t);
    }
  }
  return -1;
}

// Whether rules look into the flag's value, or take it for a part of the launch.
bool is_read_inside(const Engine& engine, std::string_view flag) {
  const auto& others = engine.checked.spellings;
  return std::any_of(others.begin(), others.end(), [flag](const Spelling& other) { return other.flag == flag; });
}

std::size_t table_of(std::size_t engine, const Deployment& deployment) {
  return deployment.checked ? engine * 4096 + deployment.release + 1 : engine * 4096;
}

// What the name means, or nothing when it is for the slow path.
std::optional<ParameterName> meaning_of(std::string_view name, std::size_t engine, const Deployment& deployment) {
  if (!is_parameter_name(name)) return std::nullopt;
  const Engine& info = catalog().engines[engine];
  ParameterName made;
  std::string identity = flag_identity(name, &info, &deployment);
  if (deployment.checked) {
    const auto known = find_flag(info.surface, identity, deployment.release);
    if (!known || known->interval->refused) return std::nullopt;
    made.flag = known->interval;
    made.target = target_of(info, identity);
    if (is_read_inside(info, identity)) return std::nullopt;
  }
  made.spelling = interned(deployment.checked ? identity : flag_spelling(name));
  made.identity = interned(identity);
  return made;
}

// The name's meaning, or null when it is for the slow path. Python's texts are made while the lock is not held: making
// one may wait for every other thread, and one of them may wait for the lock.
const ParameterName* find_name(std::string_view name, std::size_t engine, const Deployment& deployment) {
  Memory& all = memory();
  {
    const std::lock_guard lock(all.mutex);
    const Names& names = all.tables[table_of(engine, deployment)];
    if (const auto known = names.find(name); known != names.end()) return &known->second;
    if (all.count >= kKnownNames) return nullptr;
  }
  const std::optional<ParameterName> made = meaning_of(name, engine, deployment);
  if (!made) return nullptr;
  const ParameterName* kept = nullptr;
  bool is_new = false;
  {
    const std::lock_guard lock(all.mutex);
    const auto [place, added] = all.tables[table_of(engine, deployment)].try_emplace(std::string(name), *made);
    kept = &place->second;
    is_new = added;
    all.count += added ? 1 : 0;
  }
  if (!is_new) {  // another thread was first
    Py_DECREF(made->spelling);
    Py_DECREF(made->identity);
  }
  return kept;
}

// Whether the release accepts a value of this Python type and text without a closer look.
bool fits(const FlagInterval& flag, PyObject* value) {
  if (flag.choices_known) return PyUnicode_CheckExact(value) && accepts(flag, ascii(value));
  switch (flag.type) {
    case FlagType::kBool: return PyBool_Check(value) != 0;
    case FlagType::kInt: return PyLong_CheckExact(value) != 0;
    case FlagType::kFloat: return PyFloat_CheckExact(value) != 0 || PyLong_CheckExact(value) != 0;
    case FlagType::kStr:
    case FlagType::kJson: return PyBool_Check(value) == 0;
    default: return false;
  }
}

PyObject* new_ascii(std::string_view characters) {
  PyObject* out = PyUnicode_New(static_cast<Py_ssize_t>(characters.size()), 127);
  if (out == nullptr) throw_python_error();
  std::memcpy(PyUnicode_1BYTE_DATA(out), characters.data(), characters.size());
  return out;
}

// The argument that a plain parameter value becomes; a new reference, or null when the value is unusual.
PyObject* plain_value(PyObject* value) {
  if (PyBool_Check(value)) {
    Py_INCREF(value);
    return value;
  }
  if (PyUnicode_CheckExact(value)) {
    const std::string_view characters = ascii(value);
    if (PyUnicode_GET_LENGTH(value) > kFastText ||
        characters.size() != static_cast<std::size_t>(PyUnicode_GET_LENGTH(value)) ||
        std::memchr(characters.data(), '\0', characters.size()) != nullptr) {
      return nullptr;
    }
    Py_INCREF(value);
    return value;
  }
  if (PyLong_CheckExact(value)) {
    int overflow = 0;
    const long number = PyLong_AsLongAndOverflow(value, &overflow);
    return overflow != 0 ? nullptr : new_ascii(std::to_string(number));
  }
  if (PyFloat_CheckExact(value) && std::isfinite(PyFloat_AS_DOUBLE(value))) {
    return new_ascii(python_float(PyFloat_AS_DOUBLE(value)));
  }
  return nullptr;
}

}  // namespace

std::string_view ascii(PyObject* object) {
  if (!PyUnicode_Check(object) || !PyUnicode_IS_COMPACT_ASCII(object)) return {};
  return {static_cast<const char*>(PyUnicode_DATA(object)), static_cast<std::size_t>(PyUnicode_GET_LENGTH(object))};
}

namespace {

// The parameters of one call, laid over the arguments of a launch. Whatever is unusual ends it: the slow path says why.
class Overlay {
 public:
  Overlay(PyObject* arguments, std::size_t engine, const Deployment& deployment, const Launch& launch)
      : arguments_(arguments), engine_(engine), deployment_(deployment), launch_(launch) {}

  bool take(PyObject* key, PyObject* value) {
    if (value == Py_None) return is_parameter_name(ascii(key));  // the derived value stays
    const ParameterName* name = PyUnicode_CheckExact(key) ? find_name(ascii(key), engine_, deployment_) : nullptr;
    if (name == nullptr || (name->flag != nullptr && !fits(*name->flag, value)) || !is_first(*name)) return false;
    PyObject* made = plain_value(value);
    const bool set = made != nullptr && put(*name, made);
    Py_XDECREF(made);
    return set;
  }

  // Whether a rule or kernel of the release refuses the launch as it is now.
  [[nodiscard]] bool is_refused() const {
    const Engine& engine = catalog().engines[engine_];
    return !values_.empty() && (refused_by(engine, deployment_, values_) != nullptr ||
                                refused_by_kernels(engine, deployment_, values_).has_value());
  }

 private:
  // Two names of one argument are for the slow path.
  bool is_first(const ParameterName& name) {
    if (count_ == kFastParameters) return false;
    for (std::size_t i = 0; i < count_; ++i) {
      if (seen_[i] == name.identity) return false;
    }
    seen_[count_++] = name.identity;
    return true;
  }

  bool put(const ParameterName& name, PyObject* made) {
    const int derived = PyDict_Contains(arguments_, name.identity);
    if (derived < 0 || PyDict_SetItem(arguments_, derived == 1 ? name.identity : name.spelling, made) != 0)
      return false;
    if (name.target >= 0) {
      if (values_.empty()) values_ = launch_.values;
      values_[static_cast<std::size_t>(name.target)] = PyBool_Check(made) ? "true" : ascii(made);
    }
    return true;
  }

  PyObject* arguments_;
  std::size_t engine_;
  const Deployment& deployment_;
  const Launch& launch_;
  std::array<PyObject*, kFastParameters> seen_{};
  std::size_t count_ = 0;
  TargetValues values_;  // of the launch, with the parameters; empty while no parameter is a target
};

}  // namespace

bool lay_over(PyObject* arguments, PyObject* parameters, std::size_t engine, const Deployment& deployment,
              const Launch& launch) {
  if (!PyDict_CheckExact(parameters) || PyDict_GET_SIZE(parameters) > static_cast<Py_ssize_t>(kFastParameters)) {
    return false;
  }
  Overlay overlay(arguments, engine, deployment, launch);
  bool plain = true;
  Py_BEGIN_CRITICAL_SECTION(parameters);
  PyObject* key = nullptr;
  PyObject* value = nullptr;
  Py_ssize_t position = 0;
  while (plain && PyDict_Next(parameters, &position, &key, &value) != 0) plain = overlay.take(key, value);
  Py_END_CRITICAL_SECTION();
  PyErr_Clear();  // whatever failed, the slow path says it
  return plain && !overlay.is_refused();
}

}  // namespace quantmap::bindings
