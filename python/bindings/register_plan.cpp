// Plans: a task reduced to the experiments that differ.
#include "quantmap/catalog/codes.hpp"
#include "quantmap/plan/plan.hpp"

#include <algorithm>

#include "convert.hpp"
#include "function.hpp"
#include "quantmap/base/digest.hpp"
#include "quantmap/mapping/launch.hpp"
#include "quantmap/plan/parallel.hpp"
#include "quantmap/results/plans.hpp"
#include "register.hpp"
#include "report.hpp"
#include "results.hpp"
#include "where.hpp"

namespace quantmap::bindings {

namespace {

py::list group_data(const Plan& plan, std::uint64_t id) {
  py::list out;
  for (const auto& [config, points] : plan.group(id).configs) out.append(make_tuple(to_python(config), points));
  return out;
}

Plan make_plan(const py::object& task, const py::object& engines, const py::object& engine_version,
               const py::object& gpu, const py::object& checkpoint, const py::object& model_quantization,
               const py::object& policy) {
  PlanRequest request;
  request.task = to_core(task);
  request.engines = to_core(engines);
  read_where(model_quantization, engine_version, gpu, checkpoint, request);
  request.policy = to_core(policy);
  request.default_policy = default_policy();
  request.interrupt = Interrupt([] {
    const py::gil_scoped_acquire_simple held;
    return PyErr_CheckSignals() != 0;
  });
  Diagnostics problems;
  std::optional<Plan> plan;
  {
    const py::gil_scoped_release_simple unlocked;
    plan = Plan::make(request, problems);
  }
  if (PyErr_Occurred() != nullptr) throw_python_error();  // what a signal's handler raised
  if (!plan) raise_config_error(problems);
  return std::move(*plan);
}

// Lines and the number of the next experiment.
py::object lines(const Plan& plan, Count begin, Count end, std::size_t bytes, int groups) {
  std::string out;
  out.reserve(bytes + 4096);
  Count next = begin;
  {
    const py::gil_scoped_release_simple unlocked;
    next = plan.write_lines(begin, std::min(end, plan.distinct()), bytes, static_cast<Plan::Groups>(groups), out);
  }
  return make_tuple(take(PyBytes_FromStringAndSize(out.data(), static_cast<Py_ssize_t>(out.size()))), next);
}

py::object signatures(const Plan& plan, Count begin, Count end, std::size_t bytes) {
  std::string out;
  Count next = begin;
  {
    const py::gil_scoped_release_simple unlocked;
    next = plan.write_signatures(begin, std::min(end, plan.distinct()), bytes, out);
  }
  return make_tuple(text(out), next);
}

py::list values_of(const TaskAxis& axis) {
  py::list out;
  for (const Value& value : axis.values) out.append(to_python(value));
  return out;
}

const Engine& engine_of(const py::object& runtime) {
  Diagnostics problems;
  std::string version;
  const Engine* engine = read_runtime(to_core(runtime), version, problems);
  if (engine == nullptr) raise_config_error(problems);
  return *engine;
}

// The arguments of one launch's parallel sizes, by flag.
py::dict parallel_arguments(const py::object& config, const py::object& runtime) {
  Diagnostics problems;
  const std::vector<TaskAxis> axes = parallel_axes(to_core(config), engine_of(runtime), Path("$"), problems);
  for (const TaskAxis& axis : axes) {
    if (axis.values.size() > 1) problems.add(Code::kListOfValues, axis.path);
  }
  if (problems.has_errors()) raise_config_error(problems);
  py::dict out;
  for (const TaskAxis& axis : axes) {
    const Value& value = axis.values.front();
    if (!value.is_null()) out[text("--" + axis.key)] = to_python(value);
  }
  return out;
}

// A task as whoever maps its launches takes it: its parallel sizes among the parameters of the engine, which may be
// named instead of the task's own.
py::dict read_task_parts(const py::object& given, const py::object& runtime) {
  Diagnostics problems;
  std::optional<Task> task = read_launch_task(to_core(given), problems);
  if (!task) raise_config_error(problems);
  std::string version;
  Diagnostics unused;  // who maps the task tells it
  const Engine* engine = read_runtime(runtime.is_none() ? task->runtime : to_core(runtime), version, unused);
  if (engine != nullptr) *task = with_parallel(std::move(*task), *engine, problems);
  if (problems.has_errors()) raise_config_error(problems);
  py::dict config;  // without its presets, which stand beside it
  for (const auto& [key, value] : task->config.members()) {
    if (key != catalog().keys.preset && key != catalog().keys.presets) config[text(key)] = to_python(value);
  }
  py::dict parameters;
  for (const TaskAxis& axis : task->parameters) parameters[text(axis.key)] = values_of(axis);
  py::dict out;
  out["name"] = to_python(task->name);
  out["runtime"] = to_python(task->runtime);
  out["image_tag"] = to_python(task->image_tag);
  out["model"] = to_python(task->model);
  out["config"] = config;
  out["config_path"] = text(task->config_path);
  out["presets"] = task->presets.empty() ? py::list() : values_of(task->presets.front());
  out["presets_path"] = text(task->presets.empty() ? "" : task->presets.front().path);
  out["presets_listed"] = to_object(!task->presets.empty() && task->presets.front().is_list);
  out["parameters"] = parameters;
  out["notes"] = to_python(problems);
  return out;
}

void require_index(const Plan& plan, Count index) {
  if (index >= plan.distinct()) throw py::index_error("no experiment " + std::to_string(index));
}

py::object experiment(const Plan& plan, Count index) {
  require_index(plan, index);
  return to_result(plan.experiment(index));
}

std::optional<Count> max_iterations(const Plan& plan) { return plan.max_iterations(); }
py::object task_name(const Plan& plan) { return to_python(plan.name()); }
py::list axes(const Plan& plan) { return texts(plan.axes()); }
py::object skips(const Plan& plan) { return to_result(plan.skips()); }
py::object targets(const Plan& plan) { return to_result(plan.targets()); }
py::object diagnostics(const Plan& plan) { return to_python(plan.diagnostics()); }

constexpr Function kPlanProperties[] = {
    function<&Plan::asked>("asked", "", "Points of the task."),
    function<&Plan::distinct>("distinct", "", "Experiments."),
    function<&Plan::merged>("merged", "", "Points that start what another starts."),
    function<&Plan::skipped>("skipped", "", "Points that nothing is started for."),
    function<&Plan::size>("size", "", "What it keeps."),
    function<&max_iterations>("max_iterations", "", "How many experiments the task allows, or None."),
    function<&task_name>("task_name", "", "The name of the task."),
    function<&axes>("axes", "", "The names of the axes."),
    function<&skips>("skips", "", "What is skipped, and why."),
    function<&targets>("targets", "", "Engine, release and GPU."),
    function<&diagnostics>("diagnostics", "", "What is to be said about the task."),
};

constexpr Function kPlanMethods[] = {
    function<&experiment>("experiment", "index", "One experiment."),
    function<&group_data>("group", "id", "The configs that start the same, and how many points each has."),
    function<&lines>("lines", "begin, end, bytes, groups", "Lines, and the number of the next experiment."),
    function<&signatures>("signatures", "begin, end, bytes", "Signatures, and the number of the next experiment."),
};

constexpr Function kPlanFunctions[] = {
    function<&parallel_arguments>("parallel_arguments", "config, runtime",
                                  "The arguments of one launch's parallel sizes."),
    function<&read_task_parts>("read_task", "task, runtime=None",
                               "The parts of a task, its parallel sizes among its parameters, and notes about it."),
    function<&make_plan>("make_plan", "task, engines, engine_version, gpu, checkpoint, model_quantization, policy",
                         "Reduce a task to the experiments that differ."),
};

}  // namespace

void register_plan(py::handle module) {
  add_class<Plan>(module, "Plan", "A plan as the core keeps it.", kPlanMethods, kPlanProperties);
  add_functions(module, kPlanFunctions);
}

}  // namespace quantmap::bindings
