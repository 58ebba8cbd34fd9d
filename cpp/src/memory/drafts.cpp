// Speculative decoding: what guesses further tokens has weights and caches of its own.
#include <algorithm>

#include "memory/evaluate.hpp"

namespace quantmap {

namespace {

// Of a draft model whose shape is known, divided like the model itself.
double model_bytes(const Checkpoint& draft, const Sizes& sizes) {
  const Architecture& model = *draft.architecture;
  const ParameterCount count =
      count_parameters(model, ties_embeddings(model), sizes.parallel, stages_of(model, {}).front());
  const double stored = checkpoint_bits(draft.quantization);
  const double rest = count.other + (sizes.draft_head ? 0 : count.embedding) + count.head;
  return (count.linear + count.experts) * (stored > 0 ? stored : 8 * kPlainBytes) / 8 + rest * kPlainBytes;
}

// One layer on top of the model: what joins hidden states, attention of the model's own, an MLP. With an output layer
// of its own (EAGLE-3, https://arxiv.org/abs/2503.01840) it joins three layers' states and reads twice the width.
double head_bytes(const Inputs& inputs, const Sizes& sizes) {
  const Architecture& model = inputs.model;
  const double hidden = number(model.hidden);
  const double queries = number(model.heads * model.head_size);
  const double cached = 2 * number(model.kv_heads * model.head_size);
  const double width = model.intermediate > 0 ? number(model.intermediate) : 4 * hidden;
  const double joined = sizes.draft_output ? 3 : 2;
  const double read = sizes.draft_output ? 2 * hidden : hidden;
  double numbers = joined * hidden * hidden + read * (queries + cached) + queries * hidden + 3 * hidden * width;
  if (sizes.draft_output) numbers += number(std::min(kDraftWords, model.vocabulary)) * hidden;
  return numbers * kPlainBytes / number(sizes.parallel.tensor);
}

}  // namespace

// Layers in the model's own files, which are loaded only for that, or a model beside it.
double draft_bytes(const Inputs& inputs, const Sizes& sizes, double layer_bytes) {
  const double drafts = number(inputs.model.parts.draft_layers);
  const double layers = std::max(number(static_cast<std::int64_t>(inputs.model.layers.size())), 1.0);
  const bool beside = sizes.drafts && (inputs.draft || sizes.draft_head);
  double out = beside && inputs.draft ? model_bytes(*inputs.draft, sizes) : beside ? head_bytes(inputs, sizes) : 0;
  if (drafts <= 0) return out;
  const bool loaded = sizes.drafts && !beside;
  if (inputs.checkpoint.weights && !loaded) out -= layer_bytes * drafts / (layers + drafts);
  if (!inputs.checkpoint.weights && loaded) out += layer_bytes * drafts / layers;
  return out;
}

void add_draft_caches(const Inputs& inputs, const Sizes& sizes, std::vector<LayerCache>& layers) {
  if (!sizes.drafts) return;
  if (inputs.draft) {
    const Architecture& draft = *inputs.draft->architecture;
    const auto own = layer_caches(draft, sizes.parallel, stages_of(draft, {}).front());
    layers.insert(layers.end(), own.begin(), own.end());
    return;
  }
  const Architecture& model = inputs.model;
  const std::int64_t count = sizes.draft_head ? 1 : model.parts.draft_layers;
  const auto full = std::find_if(layers.begin(), layers.end(),
                                 [](const LayerCache& layer) { return layer.kind == LayerCache::Kind::kFull; });
  if (full == layers.end() || count <= 0) return;
  LayerCache copy = *full;
  if (sizes.draft_head && !model.is_mla() && model.kv_heads > 0) {  // of the model's usual heads
    const std::int64_t gpus = sizes.parallel.attention_gpus();
    copy.heads = 2 * number(std::max<std::int64_t>((model.kv_heads + gpus - 1) / gpus, 1));
    copy.numbers = copy.heads * number(model.head_size);
  }
  layers.insert(layers.end(), static_cast<std::size_t>(count), copy);
}

}  // namespace quantmap
