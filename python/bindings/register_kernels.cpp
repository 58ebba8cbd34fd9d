// Kernel tables of a release, for the tables of the documentation and of the command.
#include <algorithm>

#include "convert.hpp"
#include "function.hpp"
#include "quantmap/deployment/kernels.hpp"
#include "register.hpp"

namespace quantmap::bindings {

namespace {

// The ids of the bits of a mask.
template <typename Items, typename Name>
py::list chosen(std::uint32_t mask, const Items& items, Name name) {
  py::list out;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (in_mask(mask, i)) out.append(text(name(items[i])));
  }
  return out;
}

py::dict takes_data(const KernelTables& tables, const KernelTakes& row) {
  const auto itself = [](std::string_view item) { return item; };
  py::dict out;
  out["gpus"] = chosen(row.gpus, catalog().gpu_classes, [](const GpuClass& item) { return item.id; });
  out["models"] = chosen(row.models, catalog().model_kinds, itself);
  out["dtypes"] = chosen(row.dtypes, tables.dtypes, itself);
  out["kv"] = texts(row.kv);
  out["maybe_kv"] = texts(row.maybe_kv);
  out["sinks"] = to_object(row.sinks);
  py::list heads;
  for (const HeadRun& run : row.heads) heads.append(make_tuple(run.first, run.last, run.step));
  out["heads"] = heads;
  return out;
}

// What is known of a release's attention backends; empty when nothing is.
py::list attention_backends(const std::string& engine_id, const std::string& version) {
  py::list out;
  const Engine* engine = find_engine(engine_id);
  if (engine == nullptr) return out;
  const auto& releases = engine->surface.releases;
  for (std::size_t release = 0; release < releases.size(); ++release) {
    if (releases[release].version != version) continue;
    for (const AttentionBackend& backend : engine->kernels.backends) {
      const auto found = std::find_if(
          backend.intervals.begin(), backend.intervals.end(),
          [release](const BackendInterval& item) { return release >= item.since && release < item.until; });
      if (found == backend.intervals.end()) continue;
      py::dict row;
      row["backend"] = text(backend.name);
      row["platform"] = text(found->platform);
      row["absent"] = to_object(found->absent);
      py::list takes;
      for (const KernelTakes& item : found->takes) takes.append(takes_data(engine->kernels, item));
      row["takes"] = takes;
      out.append(row);
    }
  }
  return out;
}

std::string version_of(const Engine& engine, std::size_t release) {
  const auto& releases = engine.surface.releases;
  return release == 0 || release >= releases.size() ? std::string() : std::string(releases[release].version);
}

std::string_view name_of(Stage stage) {
  if (stage == Stage::kTrouble) return "known-trouble";
  return stage == Stage::kStart ? "refused-at-start" : "fails-later";
}

py::dict trouble_data(const Engine& engine, const Trouble& trouble) {
  const Constraint& rule = trouble.rule;
  py::dict row;
  row["id"] = text(rule.id);
  row["verdict"] = text(name_of(rule.stage));
  row["effect"] = text(trouble.effect);
  row["since"] = text(version_of(engine, rule.since));
  row["until"] = text(version_of(engine, rule.until));
  row["gpus"] = rule.gpus == 0xFFFF
                    ? py::list()
                    : chosen(rule.gpus, catalog().gpu_classes, [](const GpuClass& item) { return item.id; });
  py::dict when;
  for (const RuleTerm& term : rule.terms) {
    const Target& target = engine.checked.targets[term.target];
    const std::string_view name = target.routes.empty() ? target.id : target.routes.front().name;
    when[text(name)] = make_tuple(!term.others, texts(term.values));
  }
  row["when"] = when;
  row["types"] = make_tuple(!trouble.other_types, texts(trouble.types));
  row["what"] = text(rule.text);
  row["cure"] = text(trouble.cure);
  row["assumed"] = to_object(rule.assumed);
  row["evidence"] = texts(rule.evidence);
  return row;
}

// Known trouble of an engine, and what its loaders cannot load: of one release, or of all when none is named.
py::list known_troubles(const std::string& engine_id, const std::string& version) {
  py::list out;
  const Engine* engine = find_engine(engine_id);
  if (engine == nullptr) return out;
  const auto& releases = engine->surface.releases;
  const auto at = std::find_if(releases.begin(), releases.end(),
                               [&version](const Release& release) { return release.version == version; });
  if (!version.empty() && at == releases.end()) return out;
  for (const Trouble& trouble : engine->troubles) {
    const auto release = static_cast<ReleaseNumber>(at - releases.begin());
    if (version.empty() || covers(trouble.rule.since, trouble.rule.until, release)) {
      out.append(trouble_data(*engine, trouble));
    }
  }
  return out;
}

constexpr Function kKernelsFunctions[] = {
    function<&known_troubles>("known_troubles", "engine, version=''", ""),
    function<&attention_backends>("attention_backends", "engine, version", "version"),
};

}  // namespace

void register_kernels(py::handle module) { add_functions(module, kKernelsFunctions); }

}  // namespace quantmap::bindings
