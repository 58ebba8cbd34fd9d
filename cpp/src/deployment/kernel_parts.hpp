// What the parts of the kernel judgement share, and the parts that are not about attention.
#pragma once

#include <algorithm>

#include "quantmap/deployment/kernels.hpp"

namespace quantmap::kernel {

template <typename Item>
[[nodiscard]] const Item* at_release(Rows<Item> items, ReleaseNumber release) noexcept {
  for (const Item& item : items) {
    if (covers(item.since, item.until, release)) return &item;
  }
  return nullptr;
}

template <typename Item, typename Wanted>
[[nodiscard]] bool holds(Rows<Item> items, const Wanted& wanted) noexcept {
  return std::find(items.begin(), items.end(), wanted) != items.end();
}

// A target's value, or "" when the engine has no such target.
[[nodiscard]] inline std::string_view value_of(const TargetValues& values, std::int8_t role) noexcept {
  return role < 0 ? std::string_view() : std::string_view(values[static_cast<std::size_t>(role)]);
}

// "vLLM 0.33.0"
[[nodiscard]] inline std::string release_words(const Engine& engine, ReleaseNumber release) {
  return std::string(engine.name) + " " + std::string(engine.surface.releases[release].version);
}

[[nodiscard]] inline std::string evidence_of(const Engine& engine, ReleaseNumber release, std::string_view at) {
  return std::string(engine.surface.releases[release].artifact) + " " + std::string(at);
}

// Whether a method needs a newer GPU than the one that is asked about.
[[nodiscard]] inline bool is_too_old(const MethodInterval& limits, std::size_t gpu) noexcept {
  const auto& classes = catalog().gpu_classes;
  return gpu != 0 && limits.capability > classes[gpu].floor &&
         (gpu + 1 == classes.size() || limits.capability >= classes[gpu + 1].floor);
}

[[nodiscard]] inline bool lacks_dtype(const MethodInterval& limits, const KernelQuery& query) noexcept {
  return query.dtype >= 0 && limits.dtypes != 0 && !in_mask(limits.dtypes, static_cast<std::size_t>(query.dtype));
}

[[nodiscard]] inline const MethodInterval* limits_of(const Engine& engine, std::string_view method,
                                                     ReleaseNumber release) noexcept {
  for (const MethodLimits& limits : engine.kernels.methods) {
    if (limits.name == method) return at_release(limits.intervals, release);
  }
  return nullptr;
}

// "8.0"
[[nodiscard]] inline std::string capability_words(int capability) {
  return std::to_string(capability / 10) + "." + std::to_string(capability % 10);
}

// A named method: its least GPU, and the model's types that it takes.
[[nodiscard]] std::optional<KernelRefusal> method_refusal(const Engine& engine, const Deployment& deployment,
                                                          const KernelQuery& query, const TargetValues& values);
[[nodiscard]] KernelReason method_reason(const Engine& engine, const KernelQuery& query, const KernelRefusal& refusal);

// The method of the checkpoint itself, where it has no rules of its own: whether the release knows it, on this GPU.
[[nodiscard]] std::optional<KernelRefusal> own_method_refusal(const Engine& engine, const Deployment& deployment,
                                                              const KernelQuery& query, const TargetValues& values);
// Whether the checkpoint's own method is taken whatever else is asked for.
[[nodiscard]] bool keeps_own_method(const Engine& engine, const Deployment& deployment);
[[nodiscard]] KernelReason own_method_reason(const Engine& engine, const Deployment& deployment,
                                             const KernelQuery& query, const KernelRefusal& refusal);

// A named backend for experts: whether there is one for their scheme.
[[nodiscard]] std::optional<KernelRefusal> experts_refusal(const Engine& engine, const Deployment& deployment,
                                                           const TargetValues& values);
[[nodiscard]] KernelReason experts_reason(const Engine& engine, const Deployment& deployment,
                                          const TargetValues& values, const ExpertsScheme& scheme);

}  // namespace quantmap::kernel
