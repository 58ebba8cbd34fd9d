// Releases and what they accept; verdicts on launch lines.
#include "convert.hpp"
#include "function.hpp"
#include "quantmap/catalog/messages.hpp"
#include "quantmap/check/check.hpp"
#include "quantmap/mapping/acceptance.hpp"
#include "quantmap/mapping/render.hpp"
#include "quantmap/results/launches.hpp"
#include "register.hpp"
#include "report.hpp"
#include "results.hpp"
#include "where.hpp"

namespace quantmap::bindings {

namespace {

CheckRequest request_of(const py::object& command, const py::object& engine, const py::object& engine_version,
                        const py::object& gpu, const py::object& model_quantization, const py::object& checkpoint,
                        const py::dict& settings) {
  CheckRequest request;
  for (const auto& file : settings) {
    request.settings.emplace_back(utf8(file.first), utf8(file.second));
  }
  request.command = to_core(command);
  request.engine = to_core(engine);
  read_where(model_quantization, engine_version, gpu, checkpoint, request);
  return request;
}

py::object check_script(const py::object& command, const py::object& engine, const py::object& engine_version,
                        const py::object& gpu, const py::object& model_quantization, const py::object& checkpoint,
                        const py::dict& settings) {
  Diagnostics problems;
  const auto checked = quantmap::check_script(
      request_of(command, engine, engine_version, gpu, model_quantization, checkpoint, settings), problems);
  if (!checked) raise_config_error(problems);
  const SharedTexts shared;
  return to_result(*checked);
}

py::object check(const py::object& command, const py::object& engine, const py::object& engine_version,
                 const py::object& gpu, const py::object& model_quantization, const py::object& checkpoint,
                 const py::dict& settings) {
  Diagnostics problems;
  const std::optional<Checked> checked = check_command(
      request_of(command, engine, engine_version, gpu, model_quantization, checkpoint, settings), problems);
  if (!checked) raise_config_error(problems);
  const SharedTexts shared;
  return to_result(*checked);
}

const Engine& engine_named(const py::object& name) {
  Diagnostics problems;
  std::string version;
  const Engine* engine = read_runtime(to_core(name), version, problems);
  if (engine == nullptr) raise_config_error(problems);
  return *engine;
}

py::list releases(const py::object& engine) {
  py::list out;
  for (const Release& release : engine_named(engine).surface.releases) {
    py::dict row;
    row["version"] = text(release.version);
    row["date"] = text(release.date);
    row["artifact"] = text(release.artifact);
    row["sha256"] = text(release.sha256);
    row["whole"] = to_object(release.whole);
    out.append(row);
  }
  return out;
}

constexpr std::string_view kFlagTypes[] = {"flag",   "integer", "number", "text",
                                           "choice", "json",    "list",   "unknown"};  // by FlagType

py::object bound(bool has, double value) { return has ? py::object(py::float_(value)) : none(); }

// What one release accepts: flag → type, choices, default, aliases.
py::dict surface(const py::object& name, const py::object& version) {
  const Engine& engine = engine_named(name);
  Diagnostics problems;
  const auto release = find_release(engine, utf8(py::str(version)), Path("engine_version"), problems);
  if (!release) raise_config_error(problems);
  py::dict out;
  for (const FlagHistory& history : engine.surface.flags) {
    const FlagInterval* flag = interval_at(history, *release);
    if (flag == nullptr || flag->refused) continue;
    py::dict row;
    row["type"] = text(kFlagTypes[static_cast<std::size_t>(flag->type)]);
    row["aliases"] = texts(flag->aliases);
    row["negations"] = texts(flag->negations);
    row["minimum"] = bound(flag->bounds.has_least, flag->bounds.least);
    row["maximum"] = bound(flag->bounds.has_most, flag->bounds.most);
    row["deprecated"] = to_object(flag->deprecated);
    row["instead"] = text(flag->use);
    row["choices"] = flag->choices_known ? py::object(texts(flag->choices)) : none();
    row["default"] = text(flag->fallback);
    row["checked_at_start"] = to_object(flag->checked_at_start);
    out[text(history.name)] = row;
  }
  return out;
}

// How a release runs in a container: its image, None when there is none that is public. Without a version the newest.
py::dict container(const py::object& name, const py::object& version) {
  const Engine& engine = engine_named(name);
  const Container& found = engine.container;
  py::dict out;
  out["image"] = none();
  out["starts_server"] = to_object(found.starts_server);
  out["options"] = texts(found.options);
  Diagnostics problems;
  const std::string wanted = version.is_none() ? "latest" : utf8(py::str(version));
  const auto release = find_release(engine, wanted, Path("engine_version"), problems);
  if (!release) raise_config_error(problems);
  for (const ContainerImage& image : found.images) {
    if (!covers(image.since, image.until, *release)) continue;
    std::string filled(image.name);
    const std::string_view place = "{version}";
    filled.replace(filled.find(place), place.size(), engine.surface.releases[*release].version);
    out["image"] = text(filled);
  }
  return out;
}

// How much of the documented grid a release refuses.
py::dict documented_refusals(const py::object& name, const py::object& version, const py::object& model_quantization) {
  const Engine& engine = engine_named(name);
  Diagnostics problems;
  Deployment deployment;
  const auto release = find_release(engine, utf8(py::str(version)), Path("engine_version"), problems);
  if (!release) raise_config_error(problems);
  deployment.checked = true;
  deployment.release = *release;
  const ModelQuantization model = read_model_quantization(to_core(model_quantization), problems);
  const Acceptance acceptance = documented_acceptance(engine, deployment, model);
  py::dict out;
  out["asked"] = to_object(acceptance.asked);
  out["refused"] = to_object(acceptance.refused);
  out["launches"] = to_object(acceptance.launches);
  return out;
}

std::string joined(std::span<const std::string_view> pieces) {
  std::string out;
  for (const std::string_view piece : pieces) out += piece;
  return out;
}

// What releases of an engine say when they refuse to start, as JSON; empty when their sources were not read.
std::string messages(const py::object& name) { return joined(messages_of(engine_named(name).id)); }

std::string all_library_messages() { return joined(library_messages()); }

std::string to_yaml(const py::object& data) { return write_yaml(to_core(data)); }

constexpr Function kCheckFunctions[] = {
    function<&check>("check", "command, engine, engine_version, gpu, model_quantization, checkpoint, settings={}",
                     "A verdict on every argument of a launch line."),
    function<&check_script>("check_script",
                            "text, engine, engine_version, gpu, model_quantization, checkpoint, settings={}",
                            "Every launch of a script, judged."),
    function<&releases>("releases", "engine", "Every known release of an engine, oldest first."),
    function<&surface>("surface", "engine, version", "What one release accepts."),
    function<&messages>("messages", "engine", "What releases say when they refuse to start, as JSON."),
    function<&all_library_messages>("library_messages", "", "What the libraries beneath the engines say, as JSON."),
    function<&container>("container", "engine, version", "The image of a release and how it is run."),
    function<&documented_refusals>("documented_refusals", "engine, version, model_quantization",
                                   "How much of the documented grid a release refuses."),
    function<&to_yaml>("to_yaml", "data", "Block-style YAML of plain data."),
};

}  // namespace

void register_check(py::handle module) { add_functions(module, kCheckFunctions); }

}  // namespace quantmap::bindings
