// What the parts of the kernel judgement share, and the parts that are not about attention.
#pragma once

#include <algorithm>

#include "quantmap/deployment/kernels.hpp"

namespace quantmap::kernel {

template <typename Item>
[[nodiscard]] const Item* at_release(std::span<const Item> items, ReleaseNumber release) noexcept {
  for (const Item& item : items) {
    if (covers(item.since, item.until, release)) return &item;
  }
  return nullptr;
}

template <typename Item, typename Wanted>
[[nodiscard]] bool holds(std::span<const Item> items, const Wanted& wanted) noexcept {
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

// A named method: its least GPU, and the model's types that it takes.
[[nodiscard]] std::optional<KernelRefusal> method_refusal(const Engine& engine, const Deployment& deployment,
                                                          const KernelQuery& query, const TargetValues& values);
[[nodiscard]] KernelReason method_reason(const Engine& engine, const KernelQuery& query, const KernelRefusal& refusal);

// A named backend for experts: whether there is one for their scheme.
[[nodiscard]] std::optional<KernelRefusal> experts_refusal(const Engine& engine, const Deployment& deployment,
                                                           const TargetValues& values);
[[nodiscard]] KernelReason experts_reason(const Engine& engine, const Deployment& deployment,
                                          const TargetValues& values, const ExpertsScheme& scheme);

}  // namespace quantmap::kernel
