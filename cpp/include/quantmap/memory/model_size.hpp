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
#include <vector>

#include "quantmap/model/architecture.hpp"

namespace quantmap {

struct Parallel {
  std::int64_t tensor = 1;
  std::int64_t pipeline = 1;
};

// One stage of a pipeline.
struct PipelineStage {
  std::size_t begin = 0;  // layers
  std::size_t end = 0;
  bool first = true;  // has the embedding
  bool last = true;   // has the output layer
};
[[nodiscard]] std::vector<PipelineStage> stages_of(const Architecture& model, const Parallel& parallel);

struct ParameterCount {
  double embedding = 0;
  double head = 0;
  double linear = 0;   // attention, dense MLPs
  double experts = 0;  // routed and shared
  double other = 0;    // norms, routers
  std::int64_t unknown_layers =
      0;  // linear-attention layers, whose sizes the shape does not tell: counted as attention

  [[nodiscard]] double total() const noexcept { return embedding + head + linear + experts + other; }
};

// Of one GPU in a stage. `tied`: the output layer is the embedding.
[[nodiscard]] ParameterCount count_parameters(const Architecture& model, bool tied, const Parallel& parallel,
                                              const PipelineStage& stage);
// Of the whole model.
[[nodiscard]] ParameterCount count_parameters(const Architecture& model, bool tied);

// Whether the output layer is the embedding: the config, else what the family does by default.
[[nodiscard]] bool ties_embeddings(const Architecture& model);

// What one GPU of a stage caches.
struct CacheShape {
  double numbers = 0;      // for every token, in layers that see the whole context
  double heads = 0;        // vectors with a scale of their own where there are scales per head
  double index_bytes = 0;  // for every token, of sparse attention's index
  struct Window {
    std::int64_t tokens = 0;  // at most so many are kept
    double numbers = 0;       // for each of them
    double heads = 0;
  };
  std::vector<Window> windows;    // by length
  std::int64_t state_layers = 0;  // that keep a state of fixed size instead
};
[[nodiscard]] CacheShape cache_shape(const Architecture& model, const Parallel& parallel, const PipelineStage& stage);

}  // namespace quantmap
