// get_runtime_args, the call that an autotuner makes for every experiment.
//
// A four-field config has 2,352 values, so an engine has that many launches for each kind of model and release. The
// first call for a combination maps it in the core and keeps the finished dict; later calls copy it and lay the user's
// parameters over it. Everything unusual (a preset with overrides, the unified form, a list, a message that someone
// reads, an error) goes to the slow path, which gives the same answer with all its words; tests compare the two.
#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "convert.hpp"
#include "fast_parameters.hpp"
#include "launches.hpp"
#include "quantmap/config/checkpoint_kind.hpp"
#include "quantmap/mapping/launch.hpp"
#include "register.hpp"
#include "report.hpp"
#include "runtime_args.hpp"
#include "where.hpp"

namespace quantmap::bindings {

namespace {

constexpr std::size_t kParameters = 8;
constexpr const char* kNames[kParameters] = {"runtime",        "quant_config", "user_parameters", "model_quantization",
                                             "engine_version", "gpu",          "checkpoint",      "policy"};
constexpr std::size_t kPositional = 4;
constexpr std::size_t kFirstSlow = 6;  // from here on, a parameter that is given is for the slow path

// The names of the parameters, interned, so that a call by keyword is told by comparing pointers.
const std::array<PyObject*, kParameters>& prepare_names() {
  static const std::array<PyObject*, kParameters> names = [] {
    std::array<PyObject*, kParameters> made{};
    for (std::size_t i = 0; i < kParameters; ++i) made[i] = PyUnicode_InternFromString(kNames[i]);
    return made;
  }();
  return names;
}

struct Call {
  std::array<PyObject*, kParameters> values{};

  [[nodiscard]] PyObject* at(std::size_t index) const { return values[index]; }
  [[nodiscard]] bool gives(std::size_t index) const { return values[index] != nullptr && values[index] != Py_None; }
  // Of an ASCII text; empty for everything else.
  [[nodiscard]] std::string_view text(std::size_t index) const {
    return gives(index) ? ascii(at(index)) : std::string_view();
  }
};

int parameter_index(PyObject* name) {
  const auto& names = prepare_names();
  for (std::size_t i = 0; i < kParameters; ++i) {
    if (names[i] == name) return static_cast<int>(i);
  }
  for (std::size_t i = 0; i < kParameters; ++i) {
    if (PyUnicode_Compare(names[i], name) == 0) return static_cast<int>(i);
  }
  return -1;
}

bool parse(PyObject* const* args, Py_ssize_t positional, PyObject* keywords, Call& call) {
  if (positional > static_cast<Py_ssize_t>(kPositional)) {
    PyErr_Format(PyExc_TypeError, "get_runtime_args() takes at most %zu positional arguments (%zd given)", kPositional,
                 positional);
    return false;
  }
  for (Py_ssize_t i = 0; i < positional; ++i) call.values[static_cast<std::size_t>(i)] = args[i];
  const Py_ssize_t named = keywords == nullptr ? 0 : PyTuple_GET_SIZE(keywords);
  for (Py_ssize_t i = 0; i < named; ++i) {
    PyObject* name = PyTuple_GET_ITEM(keywords, i);
    const int index = parameter_index(name);
    if (index < 0) {
      PyErr_Format(PyExc_TypeError, "get_runtime_args() got an unexpected keyword argument %R", name);
      return false;
    }
    PyObject*& place = call.values[static_cast<std::size_t>(index)];
    if (place != nullptr) {
      PyErr_Format(PyExc_TypeError, "get_runtime_args() got multiple values for argument %R", name);
      return false;
    }
    place = args[positional + i];
  }
  for (std::size_t i = 0; i < 2; ++i) {
    if (call.values[i] == nullptr) {
      PyErr_Format(PyExc_TypeError, "get_runtime_args() missing required argument '%s'", kNames[i]);
      return false;
    }
  }
  return true;
}

int engine_index(PyObject* runtime) {
  const std::string_view name = ascii(runtime);
  const auto& engines = catalog().engines;
  for (std::size_t i = 0; i < engines.size(); ++i) {
    if (engines[i].id == name) return static_cast<int>(i);
  }
  return -1;
}

// What a version and a GPU mean; nothing when they are not known or there is something to say about them.
std::optional<Deployment> plain_deployment(std::string_view version, std::string_view gpu, std::size_t engine) {
  DeploymentRequest request;
  if (!version.empty()) request.engine_version = Value::text(std::string(version));
  if (!gpu.empty()) request.gpu = Value::text(std::string(gpu));
  request.default_versions = default_versions();
  request.default_gpu = default_gpu();
  request.arguments_only = true;
  Diagnostics notes;
  const auto deployment = read_deployment(request, catalog().engines[engine], {}, notes);
  const bool plain = deployment && notes.all().empty() && (deployment->checked || gpu.empty());
  return plain ? deployment : std::nullopt;
}

// What the version and the GPU of a call mean, kept for the texts seen last. Null when they need the slow path.
const Deployment* read_fast(const Call& call, std::size_t engine) {
  struct Memory {
    std::string version;
    std::string gpu;
    std::size_t engine = 0;
    Deployment deployment;
  };
  static const Deployment kDocumented;
  thread_local Memory last;
  const std::string_view version = call.text(4);
  const std::string_view gpu = call.text(5);
  if ((call.gives(4) && version.empty()) || (call.gives(5) && gpu.empty())) return nullptr;
  if (version.empty() && gpu.empty() && default_versions().empty()) return &kDocumented;
  if (last.engine == engine + 1 && last.version == version && last.gpu == gpu) return &last.deployment;
  std::optional<Deployment> deployment = plain_deployment(version, gpu, engine);
  if (!deployment) return nullptr;
  last = {std::string(version), std::string(gpu), engine + 1, *std::move(deployment)};
  return &last.deployment;
}

bool read_checkpoint(PyObject* model, Deployment& deployment) {
  const std::string_view name = ascii(model);
  if (name.empty()) return false;
  Diagnostics warnings;
  const ModelQuantization read = read_model_quantization(Value::text(std::string(name)), warnings);
  deployment.checkpoint = read.quantized ? find_checkpoint_kind(read.method) : 0;
  return true;
}

bool gives_unusual(const Call& call) {
  return std::any_of(call.values.begin() + kFirstSlow, call.values.end(),
                     [](const PyObject* value) { return value != nullptr; });
}

// Whether the engine without a release, or the release without a policy of its own, has a fast path.
bool has_fast_path(std::size_t engine, const Deployment& deployment) {
  return deployment.checked ? default_policy().empty() : !catalog().engines[engine].documented.rows.empty();
}

PyObject* copy_launch(const Call& call, std::size_t engine, const Deployment& deployment, std::size_t combination) {
  const Launch* launch = find_launch(engine, deployment, combination);
  if (launch == nullptr || (launch->warns && logs_warnings())) return nullptr;
  PyObject* arguments = PyDict_Copy(launch->arguments);
  if (arguments == nullptr) throw_python_error();
  if (!call.gives(2) || lay_over(arguments, call.at(2), engine, deployment, *launch)) return arguments;
  Py_DECREF(arguments);
  return nullptr;
}

PyObject* fast_path(const Call& call) {
  const int index = gives_unusual(call) ? -1 : engine_index(call.at(0));
  const long number = index < 0 ? -1 : read_combination(call.at(1));
  if (number < 0) return nullptr;
  const auto engine = static_cast<std::size_t>(index);
  const auto combination = static_cast<std::size_t>(number);
  const Deployment* deployment = read_fast(call, engine);
  if (deployment == nullptr || !has_fast_path(engine, *deployment)) return nullptr;
  if (!deployment->checked && !call.gives(3)) return copy_launch(call, engine, *deployment, combination);
  Deployment own = *deployment;  // what is kept may change: making objects runs finalizers, which may call again
  if (call.gives(3) && !read_checkpoint(call.at(3), own)) return nullptr;
  return copy_launch(call, engine, own, combination);
}

PyObject* slow_path(const Call& call) {
  const auto read = [&call](std::size_t index) {
    return call.at(index) == nullptr ? Value() : to_core(call.at(index));
  };
  LaunchRequest request;
  request.runtime = read(0);
  request.quant_config = read(1);
  request.user_parameters = read(2);
  request.model_quantization = read(3);
  request.engine_version = read(4);
  if (call.at(5) != nullptr) request.gpu = gpu_to_core(call.at(5));
  if (call.at(6) != nullptr) read_checkpoint_argument(py::reinterpret_borrow<py::object>(call.at(6)), request);
  request.arguments_only = true;
  request.default_versions = default_versions();
  request.default_gpu = default_gpu();
  request.default_policy = default_policy();
  request.model_cache = model_cache();
  if (call.at(7) != nullptr) request.policy = read(7);
  return runtime_args(request).release().ptr();
}

PyObject* get_runtime_args(PyObject*, PyObject* const* args, Py_ssize_t positional, PyObject* keywords) noexcept {
  try {
    Call call;
    if (!parse(args, positional, keywords, call)) return nullptr;
    PyObject* fast = fast_path(call);
    return fast != nullptr ? fast : slow_path(call);
  } catch (py::error_already_set& error) {
    error.restore();
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  }
  return nullptr;
}

PyDoc_STRVAR(
    kDocumentation,
    "get_runtime_args(runtime, quant_config, user_parameters=None, model_quantization=None, *, "
    "engine_version=None, gpu=None, checkpoint=None, policy='degrade')\n--\n\n"
    "Launch arguments of one experiment: the config mapped for the engine, user parameters on top.\n\n"
    "Args:\n"
    "    runtime (str): the engine: 'vllm', 'sglang', 'tensorrt_llm', 'sglang_jax' or an Engine; a version\n"
    "        may follow, as in 'sglang@0.5.6'.\n"
    "    quant_config (dict | None): a four-field or unified config, a preset, or None for all defaults.\n"
    "    user_parameters (dict | None): arguments by name, with or without dashes; they win.\n"
    "    model_quantization (str | dict | None): the model's own method, such as 'awq', or the\n"
    "        quantization_config of its config.json; empty when the model is not quantized.\n"
    "    engine_version (str | None): the engine release; with it, nothing derived is refused by it.\n"
    "    gpu (str | None): a product such as 'H100', a compute capability such as '9.0',\n"
    "        or 'local' for a GPU of this machine.\n"
    "    checkpoint (str | dict | CheckpointInfo | None): the model's folder, .gguf file or config.json, or what\n"
    "        quantmap.inspect_checkpoint returned; its files decide what the model is.\n"
    "    policy (str): 'degrade', 'strict' (raises when anything is not applied as asked) or 'literal'.\n\n"
    "Returns:\n"
    "    dict[str, str | bool]: flags and values in launch order; True is a bare switch.\n\n"
    "Raises:\n"
    "    ConfigError: all problems of the input at once, each with its path.\n\n"
    "Example:\n"
    "    >>> get_runtime_args('sglang', {'preset': 'kv-cache-fp8'}, {'tp-size': 2})\n"
    "    {'--dtype': 'auto', '--kv-cache-dtype': 'fp8_e5m2', '--tp-size': '2'}\n\n"
    "Source: the four-field and unified mapping tables; docs/mapping.md shows them.\n");

PyMethodDef kMethods[] = {
    {"get_runtime_args", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(get_runtime_args)),
     METH_FASTCALL | METH_KEYWORDS, kDocumentation},
    {nullptr, nullptr, 0, nullptr}};

}  // namespace

void register_fast_call(py::handle module) {
  (void)prepare_names();
  if (PyModule_AddFunctions(module.ptr(), kMethods) < 0) throw_python_error();
}

}  // namespace quantmap::bindings
