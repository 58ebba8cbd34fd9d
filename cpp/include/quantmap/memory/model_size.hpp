// How many numbers a model has, and how many it caches for a token: from its shape alone, for one GPU of several.
//
// Weights are divided as tensor parallelism does it (Megatron-LM, https://arxiv.org/abs/1909.08053): columns or rows
// of every linear layer, experts and the vocabulary; norms and routers are whole on each GPU. A KV head is never
// divided: with more GPUs than KV heads each GPU keeps one. The latent vector of MLA
// (https://arxiv.org/abs/2405.04434, section 2.1) is one for all heads, so each GPU keeps all of it.
// Pipeline parallelism gives each stage neighbouring layers, as even as they divide.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "quantmap/model/architecture.hpp"
#include "quantmap/model/checkpoint.hpp"

namespace quantmap {

struct Parallel {
  std::int64_t tensor = 1;
  std::int64_t pipeline = 1;
  std::int64_t attention = 0;  // GPUs that share attention, and KV heads; 0: as `tensor`
  std::int64_t experts = 0;    // GPUs that share experts; 0: as `tensor`

  [[nodiscard]] std::int64_t attention_gpus() const noexcept { return attention > 0 ? attention : tensor; }
  [[nodiscard]] std::int64_t expert_gpus() const noexcept { return experts > 0 ? experts : tensor; }
};

// Sizes of experts are stored in multiples of a kernel's tile.
struct ExpertTile {
  std::int64_t hidden = 1;
  std::int64_t width = 1;
};

// One stage of a pipeline.
struct PipelineStage {
  std::size_t begin = 0;  // layers
  std::size_t end = 0;
  bool first = true;  // has the embedding
  bool last = true;   // has the output layer
};
[[nodiscard]] std::vector<PipelineStage> stages_of(const Architecture& model, const Parallel& parallel);

// One module of one GPU: where it stands ("layers.3.self_attn.q_proj" is layer 3, name "self_attn.q_proj"), and how
// many numbers it has.
struct ModuleSize {
  static constexpr std::size_t kNoLayer = ~std::size_t{0};
  std::size_t layer = kNoLayer;
  std::string_view name;
  ModuleClass part = ModuleClass::kLinear;
  double numbers = 0;
  double matrices = 1;  // of which it consists
};
void visit_modules(const Architecture& model, bool tied, const Parallel& parallel, const PipelineStage& stage,
                   const ExpertTile& tile, const std::function<void(const ModuleSize&)>& visit);

struct ParameterCount {
  double embedding = 0;
  double head = 0;
  double linear = 0;   // attention, dense MLPs
  double experts = 0;  // routed and shared
  double other = 0;    // norms, routers
  // Linear-attention layers whose sizes the config does not tell: counted as attention.
  std::int64_t unknown_layers = 0;

  [[nodiscard]] double total() const noexcept { return embedding + head + linear + experts + other; }
};

// Of one GPU in a stage. `tied`: the output layer is the embedding.
[[nodiscard]] ParameterCount count_parameters(const Architecture& model, bool tied, const Parallel& parallel,
                                              const PipelineStage& stage);
// Of the whole model.
[[nodiscard]] ParameterCount count_parameters(const Architecture& model, bool tied);

// Whether the output layer is the embedding: the config, else what the family does by default.
[[nodiscard]] bool ties_embeddings(const Architecture& model);

// What one layer of one GPU caches.
struct LayerCache {
  enum class Kind : std::uint8_t { kFull, kSliding, kState };
  Kind kind = Kind::kFull;
  double numbers = 0;       // for each token
  double heads = 0;         // vectors for each token, with a scale of their own where there are scales per head
  double index_bytes = 0;   // for each token, of sparse attention's index
  std::int64_t window = 0;  // kSliding: tokens that are kept
  double convolved = 0;     // kState: numbers of the convolution's window
  double state = 0;         // kState: numbers of the state
};
// Sizes of vectors are rounded up to `lanes`.
[[nodiscard]] std::vector<LayerCache> layer_caches(const Architecture& model, const Parallel& parallel,
                                                   const PipelineStage& stage, std::int64_t lanes = 1);

}  // namespace quantmap
