// Rules: what a parser cannot see.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "quantmap/catalog.hpp"
#include "quantmap/surface.hpp"

namespace quantmap {

// Everything outside the config that decides: mode, release, checkpoint, model, GPU.
struct Situation {
  bool checked = false;
  ReleaseNumber release = 0;
  std::size_t checkpoint = 0;   // index into Catalog::checkpoint_kinds
  std::size_t model = 0;        // ModelKind: the attention of an inspected model; 0: not inspected
  std::size_t gpu = 0;          // index into Catalog::gpu_classes; 0: not given
  bool activations = true;      // for engines whose settings tell weights and activations apart
  bool arguments_only = false;  // no files and no variables: what get_runtime_args can return
};

// The values of a mode's targets, by target index; "" when not set.
using TargetValues = std::vector<std::string>;

[[nodiscard]] inline bool in_mask(std::uint32_t mask, std::size_t index) noexcept {
  return ((mask >> index) & 1U) != 0;
}

// Whether a row or rule is about this checkpoint, model and GPU.
template <typename Item>
[[nodiscard]] bool is_about(const Item& item, const Situation& situation) noexcept {
  return in_mask(item.checkpoints, situation.checkpoint) && in_mask(item.models, situation.model) &&
         in_mask(item.gpus, situation.gpu);
}

[[nodiscard]] bool terms_hold(std::span<const RuleTerm> terms, const TargetValues& values) noexcept;

// The first rule that refuses these values here; rules without terms count only when `whole` is set.
[[nodiscard]] const Rule* refused_by(const Engine& engine, const Situation& situation, const TargetValues& values,
                                     bool whole = false);

// Rules that would refuse on some GPUs, when no GPU is given.
[[nodiscard]] std::vector<const Rule*> conditional_rules(const Engine& engine, const Situation& situation,
                                                         const TargetValues& values);

// "sm70, sm75": the classes of a mask.
[[nodiscard]] std::string gpu_names(std::uint16_t mask);

// The part of the model → what it will really be.
[[nodiscard]] std::vector<const Precision*> effective_precision(const Engine& engine, const Situation& situation,
                                                                const TargetValues& values);

}  // namespace quantmap
