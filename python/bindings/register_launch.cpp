// Mapping: a config to the arguments of one engine.
#include "quantmap/mapping/launch.hpp"

#include <cstdlib>

#include "convert.hpp"
#include "function.hpp"
#include "quantmap/config/method.hpp"
#include "quantmap/config/resolve.hpp"
#include "quantmap/mapping/grid.hpp"
#include "quantmap/mapping/merge.hpp"
#include "quantmap/results/launches.hpp"
#include "register.hpp"
#include "report.hpp"
#include "results.hpp"
#include "runtime_args.hpp"
#include "where.hpp"

namespace quantmap::bindings {

namespace {

LaunchRequest request_of(const py::object& runtime, const py::object& quant_config, const py::object& user_parameters,
                         const py::object& model_quantization, const py::object& engine_version, const py::object& gpu,
                         const py::object& checkpoint, const py::object& image_tag) {
  LaunchRequest request;
  request.runtime = to_core(runtime);
  request.quant_config = to_core(quant_config);
  request.user_parameters = to_core(user_parameters);
  read_where(model_quantization, engine_version, gpu, checkpoint, request);
  request.image_tag = to_core(image_tag);
  request.default_policy = default_policy();
  return request;
}

py::object explain(const py::object& runtime, const py::object& quant_config, const py::object& user_parameters,
                   const py::object& model_quantization, const py::object& engine_version, const py::object& gpu,
                   const py::object& checkpoint, const py::object& policy, const py::object& image_tag,
                   const py::object& activations) {
  LaunchRequest request = request_of(runtime, quant_config, user_parameters, model_quantization, engine_version, gpu,
                                     checkpoint, image_tag);
  request.policy = to_core(policy);
  request.activations = to_core(activations);
  Diagnostics problems;
  const std::optional<Mapping> mapping = launch(request, problems);
  if (!mapping) raise_config_error(problems);
  return to_result(*mapping);
}

Refusals refusals_on(const py::object& runtime, const py::object& engine_version, const py::object& gpu,
                     const py::object& checkpoint, const py::object& image_tag) {
  return Refusals(request_of(runtime, none(), none(), none(), engine_version, gpu, checkpoint, image_tag));
}

// For every combination of the four-field form, the last field fastest: its place, the order of what is set, then what
// each field looks at.
py::list grid_looks(const py::object& runtime, const py::object& model_quantization, const py::object& engine_version,
                    const py::object& gpu) {
  const LaunchRequest request =
      request_of(runtime, py::dict(), none(), model_quantization, engine_version, gpu, none(), none());
  Diagnostics problems;
  const std::optional<Mapping> ground = launch(request, problems);
  if (!ground) raise_config_error(problems);
  Grid grid(*ground->engine, ground->deployment);
  Grid::Options options{};
  Grid::Looks looks{};
  py::list out;
  for (bool more = true; more;) {
    py::tuple row(kGridFields + 2);
    row[0] = to_object(grid.place(options, looks));
    row[1] = to_object(looks.order);
    for (std::size_t i = 0; i < kGridFields; ++i) row[i + 2] = to_object(looks.fields[i]);
    out.append(row);
    more = false;
    for (std::size_t i = kGridFields; i-- > 0 && !more;) {
      more = ++options[i] < field_info(static_cast<FieldId>(i)).options.size();
      if (!more) options[i] = 0;
    }
  }
  return out;
}

// Flags and their values; what is warned of goes to the log.
py::dict flags_of(const LaunchRequest& request, py::object (*converted)(const ArgumentValue&)) {
  Diagnostics problems;
  const std::optional<Mapping> mapping = launch(request, problems);
  if (!mapping) raise_config_error(problems);
  log_warnings(mapping->diagnostics);
  py::dict out;
  for (const Argument& argument : mapping->arguments) {
    if (argument.kind == ChannelKind::kFlag) out[text(argument.flag)] = converted(argument.value);
  }
  return out;
}

// Without user parameters and with sizes as integers: the map_to_* functions.
py::dict map_engine(const py::object& engine, const py::object& config, const py::object& model_quantization,
                    const py::object& image_tag) {
  LaunchRequest request;
  request.runtime = to_core(engine);
  request.quant_config = to_core(config);
  read_where(model_quantization, none(), none(), none(), request);
  request.image_tag = to_core(image_tag);
  request.default_policy = default_policy();
  request.arguments_only = true;
  return flags_of(request, to_python);
}

// Sizes stay integers, as map_to_* gives them; everything else in derived arguments is text already.
void keep_sizes(std::vector<Argument>& arguments, const py::object& quant_args) {
  if (!PyDict_Check(quant_args.ptr())) return;
  for (Argument& argument : arguments) {
    argument.from = static_cast<FieldId>(0);
    const py::handle given = PyDict_GetItemString(quant_args.ptr(), argument.flag.c_str());
    if (given && PyLong_CheckExact(given.ptr())) {
      int overflow = 0;
      const long long number = PyLong_AsLongLongAndOverflow(given.ptr(), &overflow);
      if (overflow == 0) argument.value = std::int64_t{number};
    }
  }
}

py::dict merge_parameters(const py::object& quant_args, const py::object& user_parameters, const py::object& runtime) {
  Diagnostics problems;
  const Engine* engine = nullptr;
  if (!runtime.is_none()) {
    std::string version;
    engine = read_runtime(to_core(runtime), version, problems);
  }
  std::vector<Argument> arguments;
  merge(arguments, to_core(quant_args), nullptr, Path("quant_args"), problems);
  keep_sizes(arguments, quant_args);
  merge(arguments, to_core(user_parameters), engine, Path("user_parameters"), problems);
  if (problems.has_errors()) raise_config_error(problems);
  log_warnings(problems);
  py::dict out;
  for (const Argument& argument : arguments) out[text(argument.flag)] = to_python(argument.value);
  return out;
}

py::list unsupported(const py::object& config, const py::object& engine) {
  Diagnostics problems;
  std::string version;
  const Engine* found = read_runtime(to_core(engine), version, problems);
  const std::optional<Config> resolved = resolve(to_core(config), Path("$"), problems);
  if (found == nullptr || !resolved) raise_config_error(problems);
  py::list out;
  for (const std::string& path : unsupported_by(*resolved, *found)) out.append(text(path));
  return out;
}

// The method of a quantized model, or None; by what is said of it and by its files, as a mapping decides it.
py::object model_method(const py::object& model_quantization, const py::object& checkpoint) {
  DeploymentRequest request;
  read_where(model_quantization, none(), none(), checkpoint, request);
  Diagnostics warnings;
  Diagnostics problems;
  const std::optional<ModelQuantization> model = read_model(request, warnings, problems);
  if (!model) raise_config_error(problems);
  if (model->quantized || checkpoint.is_none()) log_warnings(warnings);  // that a plain model is plain needs no warning
  return model->quantized ? py::object(text(model->method)) : none();
}

std::string refusal_of(const Refusals& refusals, const py::object& quant_config, const py::object& user_parameters) {
  return refusals.of(to_core(quant_config), to_core(user_parameters));
}

constexpr Function kLaunchMethods[] = {
    function<&refusal_of>("of", "quant_config, user_parameters",
                          "Why nothing would start; empty when nothing is known against it."),
};

constexpr Function kLaunchFunctions[] = {
    function<&refusals_on>("refusals_on", "runtime, engine_version, gpu, checkpoint, image_tag",
                           "What one ground refuses, to be asked again and again."),
    function<&explain>("explain",
                       "runtime, quant_config, user_parameters, model_quantization, engine_version, gpu, checkpoint, "
                       "policy, image_tag, activations",
                       "A mapping with its decisions, as plain data."),
    function<&grid_looks>("grid_looks", "runtime, model_quantization, engine_version, gpu",
                          "What every combination of the four-field form comes to, as numbers."),
    function<&map_engine>("map_engine", "engine, config, model_quantization, image_tag=None",
                          "The derived arguments of one engine."),
    function<&merge_parameters>("merge_parameters", "quant_args, user_parameters, runtime",
                                "User parameters over derived arguments."),
    function<&unsupported>("unsupported", "config, engine",
                           "Paths of what the engine does not support in the documented sense."),
    function<&model_method>("model_method", "model_quantization, checkpoint=None",
                            "The method that a model is quantized with, or None."),
};

}  // namespace

py::dict runtime_args(const LaunchRequest& request) { return flags_of(request, to_argument); }

void register_launch(py::handle module) {
  module.attr("default_gpu") = text(default_gpu());
  module.attr("default_policy") = text(default_policy());
  (void)model_cache();
  module.attr("default_versions") = text(default_versions());  // read here, once
  add_class<Refusals>(module, "Refusals", "What one ground refuses.", kLaunchMethods);
  add_functions(module, kLaunchFunctions);
}

}  // namespace quantmap::bindings
