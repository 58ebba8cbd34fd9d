// Whether a model fits into a GPU's memory.
#include "quantmap/mapping/launch.hpp"
#include "quantmap/memory/fit.hpp"

#include "convert.hpp"
#include "function.hpp"
#include "quantmap/results/memory.hpp"
#include "register.hpp"
#include "report.hpp"
#include "results.hpp"
#include "where.hpp"

namespace quantmap::bindings {

namespace {

py::object estimate(const py::object& checkpoint, const py::object& quant_config, const py::object& engine,
                    const py::object& engine_version, const py::object& gpu, const py::object& tp, const py::object& pp,
                    const py::object& context, const py::object& concurrency, const py::object& memory_fraction,
                    const py::object& user_parameters, const py::object& correction, std::optional<bool> cures) {
  FitRequest request;
  request.runtime = to_core(engine);
  request.quant_config = to_core(quant_config);
  read_where(none(), engine_version, gpu, checkpoint, request);
  request.tensor = to_core(tp);
  request.pipeline = to_core(pp);
  request.context = to_core(context);
  request.concurrency = to_core(concurrency);
  request.memory_fraction = to_core(memory_fraction);
  request.user_parameters = to_core(user_parameters);
  request.correction = to_core(correction);
  request.cures = cures.value_or(true);
  Diagnostics problems;
  std::optional<MemoryFit> fit;
  {
    const py::gil_scoped_release_simple release;  // files may be slow
    fit = estimate_fit(request, problems);
  }
  if (!fit) raise_config_error(problems);
  return to_result(*fit);
}

py::list memory_log_lines() {
  py::list out;
  for (const Engine& engine : catalog().engines) {
    for (const LogLine& line : engine.memory.log) {
      out.append(make_tuple(text(engine.id), text(line.part), text(line.pattern), line.unit, line.plus_mib));
    }
  }
  return out;
}

// The flags by which a release takes what decides memory, by what they mean.
py::dict memory_flags(const std::string& engine_id, const std::string& release) {
  py::dict out;
  const Engine* engine = find_engine(engine_id);
  if (engine == nullptr) return out;
  const auto& releases = engine->surface.releases;
  for (std::size_t i = 0; i < releases.size(); ++i) {
    if (releases[i].version != release) continue;
    for (const MemoryFlag& flag : engine->memory.flags) {
      if (find_flag(engine->surface, flag.flag, static_cast<ReleaseNumber>(i))) {
        out[text(name_of(flag.role))] = text(flag.flag);
      }
    }
  }
  return out;
}

// How a launch may spell the flag that names a file of further arguments.
py::list settings_flags(const py::object& runtime) {
  py::list out;
  std::string version;
  Diagnostics unused;  // who maps the launch tells it
  const Engine* engine = read_runtime(to_core(runtime), version, unused);
  if (engine == nullptr) return out;
  for (const MemoryFlag& flag : engine->memory.flags) {
    const FlagHistory* history =
        flag.role == MemoryRole::kSettings ? find_history(engine->surface, flag.flag) : nullptr;
    if (history == nullptr) continue;
    out.append(text(history->name));
    for (const FlagInterval& interval : history->intervals) {
      for (const std::string_view alias : interval.aliases) out.append(text(alias));
    }
  }
  return out;
}

// Ids of well-known models, each with its config.
py::list known_models() {
  py::list out;
  for (const KnownModel& model : catalog().known_models) {
    out.append(make_tuple(text(model.id), text(model.config), model.assumed));
  }
  return out;
}

constexpr Function kFitFunctions[] = {
    function<&estimate>("estimate",
                        "checkpoint, quant_config, engine, engine_version, gpu, tp, pp, context, concurrency, "
                        "memory_fraction, user_parameters, correction, cures=True",
                        "What a model and its cache take of a GPU's memory."),
    function<&memory_flags>("memory_flags", "engine, release", "Flags of memory by their meaning."),
    function<&settings_flags>("settings_flags", "engine", "Spellings of the flag of a file of arguments."),
    function<&known_models>("known_models", "", "Well-known models: id, config as JSON, whether it is assumed."),
    function<&memory_log_lines>("memory_log_lines", "",
                                "Lines of boot logs: engine, part, pattern, unit, MiB that it leaves out."),
};

}  // namespace

void register_fit(py::handle module) { add_functions(module, kFitFunctions); }

}  // namespace quantmap::bindings
