// How much of the memory an engine takes that computes its share by itself.
#include <algorithm>
#include <cmath>
#include <utility>

#include "memory/evaluate.hpp"

namespace quantmap {

namespace {

// Captured sizes of prompts' steps: every fourth up to 32, then wider and wider apart.
double prefill_sizes(std::int64_t tokens) {
  constexpr std::pair<std::int64_t, std::int64_t> kSteps[] = {{32, 4},    {256, 16},   {512, 32},
                                                              {1024, 64}, {4096, 256}, {1'000'000'000, 512}};
  std::int64_t count = 0;
  std::int64_t from = 0;
  for (const auto& [until, step] : kSteps) {
    if (tokens <= from) break;
    count += (std::min(tokens, until) - from) / step;
    from = until;
  }
  return number(count);
}

std::int64_t largest_graph(const Inputs& inputs, const Sizes& sizes) {
  if (sizes.graph_limit > 0) return sizes.graph_limit;
  const ReleaseNumber release = inputs.mapping.deployment.release;
  for (const LargestGraph& row : inputs.mapping.engine->memory.graphs) {
    if (row.since > release || release >= row.until || sizes.parallel.tensor < row.tensor) continue;
    if (inputs.driver / kMebibyte < static_cast<double>(row.below_mib)) return row.sequences;
  }
  return 0;
}

// Prompts are captured by default, but for what cannot be.
double prefill_reserve(const Inputs& inputs, const Sizes& sizes, const MemoryReserve& row) {
  const Parallel& parallel = sizes.parallel;
  const bool vision = inputs.model.parts.vision.parameters > 0 && !sizes.text_only;
  const bool usual = row.captures && parallel.pipeline == 1 && parallel.attention_gpus() == parallel.tensor &&
                     !vision && sizes.lora_rank == 0 && sizes.offload == 0;
  if (!sizes.prefill_graphs.value_or(usual)) return 0;
  if (inputs.model.is_mla() && row.latent_mib > 0) return row.latent_mib;
  return row.prefill_mib + row.per_prefill_mib * prefill_sizes(sizes.batched);
}

// MiB that a row keeps free.
double reserve_of(const Inputs& inputs, const Sizes& sizes, const MemoryReserve& row) {
  constexpr std::int64_t kLargeGraph = 300;
  const Parallel& parallel = sizes.parallel;
  double out = row.mib + row.per_gpu_mib * number(parallel.tensor * parallel.pipeline);
  out += row.per_token_mib * number(std::max<std::int64_t>(sizes.batched, 2048));
  const std::int64_t graph = largest_graph(inputs, sizes);
  if (!sizes.eager) out += row.per_sequence_mib * number(graph);
  if (parallel.attention_gpus() < parallel.tensor) {
    const double each = row.per_copy_mib + (graph > kLargeGraph ? row.large_copy_mib : 0);
    out += each * number(graph * (parallel.tensor / parallel.attention_gpus()));
  }
  out += prefill_reserve(inputs, sizes, row);
  if (inputs.driver / kMebibyte > number(static_cast<std::int64_t>(row.floor_above_mib))) {
    out = std::max(out, row.floor_mib);
  }
  if (!sizes.drafts) return out;
  const bool own = !sizes.draft_model.empty() && !sizes.draft_head && row.draft_model_mib > 0;
  return out + (own ? row.draft_model_mib : row.draft_mib);
}

// What is left of the share for a model with a vision tower.
double vision_factor(const Inputs& inputs, const Sizes& sizes) {
  const VisionShare& row = inputs.mapping.engine->memory.vision;
  const VisionShape& vision = inputs.model.parts.vision;
  if (vision.parameters <= 0 || sizes.text_only || row.share <= 0) return 1;
  const double layers = vision.declared_layers > 0 ? vision.declared_layers : row.layers;
  const double width = vision.declared_width > 0 ? vision.declared_width : row.width;
  const double size = layers * width * width / (row.layers * row.width * row.width);
  return row.share * std::clamp(1 - row.slope * (size - 1), row.least, row.most);
}

}  // namespace

// The share that the engine's own rule leaves to weights and cache.
double own_share(const Inputs& inputs, const Sizes& sizes) {
  const MemoryPolicy& policy = inputs.mapping.engine->memory;
  const ReleaseNumber release = inputs.mapping.deployment.release;
  const double driver = inputs.driver;
  double share = kUsualFraction;
  for (const MemoryReserve& row : policy.reserve) {
    if (row.since > release || release >= row.until || sizes.parallel.tensor < row.tensor) continue;
    if (driver / kMebibyte >= static_cast<double>(row.below_mib)) continue;
    share = row.share > 0 ? row.share : std::max(0.0, (driver - reserve_of(inputs, sizes, row) * kMebibyte) / driver);
    share = std::round(share * 1000) / 1000;
    break;
  }
  return share * vision_factor(inputs, sizes);
}

}  // namespace quantmap
