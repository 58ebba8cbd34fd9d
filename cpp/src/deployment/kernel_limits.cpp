// Methods and experts: what a release's kernels refuse beside attention.
#include "kernel_parts.hpp"
#include "model/kept_modules.hpp"
#include "quantmap/base/text.hpp"

namespace quantmap::kernel {

namespace {

// The schemes by which the checkpoint quantizes experts: all of its own where that is not told apart.
std::uint32_t schemes_of_experts(const Deployment& deployment) {
  std::uint32_t out = 0;
  if (const ModelFacts* facts = deployment.facts.get(); facts != nullptr) {
    const auto experts = static_cast<std::uint8_t>(1U << static_cast<unsigned>(ModelPart::kExperts));
    for (std::size_t i = 0; i < facts->parts.size(); ++i) {
      if ((facts->parts[i] & experts) != 0) out |= std::uint32_t{1} << facts->schemes[i];
    }
  }
  return out != 0 ? out : deployment.marks.schemes;
}

// The kinds that the model's layers of experts may be, as far as the tables tell.
std::vector<const ExpertsScheme*> kinds_of_experts(const KernelTables& tables, const Deployment& deployment,
                                                   std::string_view method) {
  std::vector<const ExpertsScheme*> out;
  const std::uint32_t schemes = schemes_of_experts(deployment);
  for (const ExpertsOf& row : tables.experts_of) {
    if (!covers(row.since, row.until, deployment.release) || (row.schemes & schemes) == 0) continue;
    if (is_about(row, deployment) && (row.methods.empty() || holds(row.methods, method))) {
      out.push_back(&tables.experts[row.scheme]);
    }
  }
  return out;
}

// The named backends that experts of a scheme have on the GPU; on any GPU when none is given.
std::vector<std::string_view> expert_backends(const ExpertsInterval& interval, std::size_t gpu, bool maybe) {
  std::vector<std::string_view> out;
  for (const ExpertsTakes& row : interval.takes) {
    if (gpu != 0 && !in_mask(row.gpus, gpu)) continue;
    out.insert(out.end(), row.backends.begin(), row.backends.end());
    if (maybe) out.insert(out.end(), row.maybe.begin(), row.maybe.end());
  }
  return out;
}

// The method that a name stands for on this checkpoint.
std::string_view meant_method(const KernelTables& tables, const Deployment& deployment, std::string_view name) {
  for (const MethodMeant& meant : tables.meant) {
    if (covers(meant.since, meant.until, deployment.release) && in_mask(meant.checkpoints, deployment.checkpoint) &&
        holds(meant.methods, name)) {
      return meant.as;
    }
  }
  return name;
}

}  // namespace

std::optional<KernelRefusal> method_refusal(const Engine& engine, const Deployment& deployment,
                                            const KernelQuery& query, const TargetValues& values) {
  const KernelRoles& roles = engine.kernels.roles;
  if (roles.method < 0 || keeps_own_method(engine, deployment)) return std::nullopt;
  const EffectiveValues taken(engine, deployment, values);
  const std::string_view name = meant_method(engine.kernels, deployment, taken[static_cast<std::size_t>(roles.method)]);
  const auto& methods = engine.kernels.methods;
  const auto method =
      std::find_if(methods.begin(), methods.end(), [name](const MethodLimits& limits) { return limits.name == name; });
  const MethodInterval* limits = method == methods.end() ? nullptr : at_release(method->intervals, query.release);
  if (limits == nullptr) return std::nullopt;
  if (is_too_old(*limits, query.gpu)) return KernelRefusal{static_cast<std::size_t>(roles.method), nullptr, &*method};
  if (!lacks_dtype(*limits, query)) return std::nullopt;
  const bool named = !value_of(values, roles.dtype).empty();
  return KernelRefusal{static_cast<std::size_t>(named ? roles.dtype : roles.method), nullptr, &*method};
}

KernelReason method_reason(const Engine& engine, const KernelQuery& query, const KernelRefusal& refusal) {
  const MethodInterval& limits = *at_release(refusal.method->intervals, query.release);
  std::string text(refusal.method->name);
  if (is_too_old(limits, query.gpu)) {
    text += " needs compute capability " + capability_words(limits.capability) + " or newer";
  } else {
    text += " takes no " + std::string(engine.kernels.dtypes[static_cast<std::size_t>(query.dtype)]) + " model";
  }
  return {text, {evidence_of(engine, query.release, limits.at)}};
}

std::optional<KernelRefusal> experts_refusal(const Engine& engine, const Deployment& deployment,
                                             const TargetValues& values) {
  const KernelTables& tables = engine.kernels;
  if (value_of(values, tables.roles.experts).empty()) return std::nullopt;
  const EffectiveValues meant(engine, deployment, values);
  const std::string named = lower(meant[static_cast<std::size_t>(tables.roles.experts)]);
  if (named.empty() || named == tables.unset || !deployment.experts) return std::nullopt;
  const auto kinds = kinds_of_experts(tables, deployment, meant[static_cast<std::size_t>(tables.roles.method)]);
  const auto has_it = [&](const ExpertsScheme* kind) {
    const ExpertsInterval* interval = at_release(kind->intervals, deployment.release);
    if (interval == nullptr) return true;  // the release does not say
    const auto taken = expert_backends(*interval, deployment.gpu, true);
    return std::find(taken.begin(), taken.end(), named) != taken.end();
  };
  if (kinds.empty() || std::any_of(kinds.begin(), kinds.end(), has_it)) return std::nullopt;
  KernelRefusal out{static_cast<std::size_t>(tables.roles.experts)};
  out.experts = kinds.front();
  return out;
}

KernelReason experts_reason(const Engine& engine, const Deployment& deployment, const TargetValues& values,
                            const ExpertsScheme& scheme) {
  const ExpertsInterval& interval = *at_release(scheme.intervals, deployment.release);
  const std::string gpu = deployment.gpu == 0 ? "" : " on " + std::string(catalog().gpu_classes[deployment.gpu].id);
  std::string kind(scheme.id);
  std::replace(kind.begin(), kind.end(), '_', ' ');
  return {std::string(value_of(values, engine.kernels.roles.experts)) + " has no kernel for " + kind + " experts" +
              gpu + "; known to work: " + join(expert_backends(interval, deployment.gpu, false)),
          {evidence_of(engine, deployment.release, interval.at)}};
}

}  // namespace quantmap::kernel
