// The method that a checkpoint names itself, asked of the release's own list.
#include "kernel_parts.hpp"
#include "quantmap/base/text.hpp"
#include "quantmap/deployment/model_facts.hpp"

namespace quantmap::kernel {

namespace {

// "mxfp8", or with the name in the file "modelopt/mxfp8".
bool is_about_method(const OwnMethod& row, std::string_view told, std::string_view name) {
  return row.names.empty() || holds(row.names, name) || holds(row.names, std::string(told) + "/" + std::string(name));
}

const OwnMethod* row_of(const Engine& engine, const Deployment& deployment, std::string_view name) {
  for (const OwnMethod& row : engine.kernels.own) {
    if (name.empty() || !covers(row.since, row.until, deployment.release)) continue;
    if (!in_mask(row.checkpoints, deployment.checkpoint)) continue;
    if (is_about_method(row, deployment.facts->quantization.method, name)) return &row;
  }
  return nullptr;
}

// Whatever is asked for, the checkpoint's own method is taken.
bool is_kept(const OwnMethod& row) noexcept { return holds(row.beside, std::string_view("*")); }

// It is taken for another method, which rules judge.
bool is_let_through(const OwnMethod& row) noexcept {
  return !row.names.empty() && row.text.empty() && row.beside.empty();
}

// What the engine calls the checkpoint's method; empty when no file told.
std::string_view name_of(const Engine& engine, const Deployment& deployment) noexcept {
  const auto number = static_cast<std::size_t>(&engine - catalog().engines.data());
  if (deployment.facts == nullptr || number >= deployment.facts->methods.size()) return {};
  return deployment.facts->methods[number];
}

bool is_value(const Engine& engine, std::string_view argument, std::string_view name, ReleaseNumber release) {
  const auto flag = find_flag(engine.surface, argument, release);
  return !flag || accepts(*flag->interval, name);
}

bool is_known(const Engine& engine, const OwnMethod& row, std::string_view name, ReleaseNumber release, bool open) {
  const bool listed = limits_of(engine, name, release) != nullptr;
  return listed && (open || row.argument.empty() || is_value(engine, row.argument, name, release));
}

}  // namespace

std::optional<KernelRefusal> own_method_refusal(const Engine& engine, const Deployment& deployment,
                                                const KernelQuery& query, const TargetValues& values) {
  const std::string_view name = name_of(engine, deployment);
  const OwnMethod* row = row_of(engine, deployment, name);
  if (row == nullptr || is_let_through(*row)) return std::nullopt;
  const EffectiveValues taken(engine, deployment, values);
  const auto role = static_cast<std::size_t>(engine.kernels.roles.method);
  const std::string_view asked = taken[role];
  KernelRefusal out{kWholeLaunch};
  out.own = row;
  if (!is_kept(*row) && !asked.empty() && asked != name && asked != deployment.facts->quantization.method) {
    if (holds(row->beside, asked)) return std::nullopt;
    out.target = role;
    return out;
  }
  const bool open = row->unless >= 0 && value_of(values, row->unless) == "true";
  if (!row->text.empty()) return open ? std::nullopt : std::optional(out);
  if (!is_known(engine, *row, name, query.release, open)) return out;
  const MethodInterval& limits = *limits_of(engine, name, query.release);
  if (is_too_old(limits, query.gpu)) return out;
  if (!lacks_dtype(limits, query)) return std::nullopt;
  if (!value_of(values, engine.kernels.roles.dtype).empty()) {
    out.target = static_cast<std::size_t>(engine.kernels.roles.dtype);
  }
  return out;
}

bool keeps_own_method(const Engine& engine, const Deployment& deployment) {
  const OwnMethod* row = row_of(engine, deployment, name_of(engine, deployment));
  return row != nullptr && is_kept(*row);
}

KernelReason own_method_reason(const Engine& engine, const Deployment& deployment, const KernelQuery& query,
                               const KernelRefusal& refusal) {
  const std::string name(name_of(engine, deployment));
  KernelReason out{{}, {refusal.own->evidence.begin(), refusal.own->evidence.end()}};
  const MethodInterval* limits = limits_of(engine, name, query.release);
  if (limits != nullptr && refusal.own->text.empty()) out.evidence = {evidence_of(engine, query.release, limits->at)};
  if (!refusal.own->text.empty() && refusal.target == kWholeLaunch) {
    out.text = refusal.own->text;
  } else if (refusal.target == static_cast<std::size_t>(engine.kernels.roles.method)) {
    out.text = "the method differs from " + name + ", the one of the checkpoint";
  } else if (limits == nullptr) {
    out.text = name + " is no quantization method of " + release_words(engine, query.release);
  } else if (is_too_old(*limits, query.gpu)) {
    out.text = name + " needs compute capability " + capability_words(limits->capability) + " or newer";
  } else if (lacks_dtype(*limits, query)) {
    out.text =
        name + " takes no " + std::string(engine.kernels.dtypes[static_cast<std::size_t>(query.dtype)]) + " model";
  } else {
    out.text = release_words(engine, query.release) + " takes " + name + " as deprecated only: it needs " +
               std::string(engine.checked.targets[static_cast<std::size_t>(refusal.own->unless)].routes.front().name);
  }
  return out;
}

}  // namespace quantmap::kernel
