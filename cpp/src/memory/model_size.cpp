#include "quantmap/memory/model_size.hpp"

#include <algorithm>
#include <string_view>

namespace quantmap {

namespace {

// Families whose MLP has two matrices (up, down) instead of three (gate, up, down), and those that double the query
// projection for a gate on the output: their code says it, not their config.
constexpr std::string_view kTwoMatrices[] = {"gpt2",    "gpt_neo",     "gpt_neox", "gptj",       "bloom",
                                             "falcon",  "opt",         "mpt",      "phi",        "starcoder2",
                                             "codegen", "gpt_bigcode", "nemotron", "nemotron_h", "persimmon"};
constexpr std::string_view kGatedQuery[] = {"qwen3_next", "qwen3_5", "qwen3_5_text", "qwen3_5_moe", "qwen3_5_moe_text"};
// Families with one shared expert, of the size of the routed ones, that their config does not count.
constexpr std::string_view kOneShared[] = {"llama4", "llama4_text"};
// Families whose output layer is the embedding unless the config says otherwise.
constexpr std::string_view kTied[] = {"gemma", "gpt2", "gpt_bigcode", "bloom", "falcon", "opt", "mpt", "cohere", "t5"};

template <std::size_t N>
bool is_one_of_families(const std::string_view (&families)[N], std::string_view type) {
  return std::find(std::begin(families), std::end(families), type) != std::end(families);
}

// Heads of one GPU: divided, never below one.
double share(std::int64_t heads, std::int64_t gpus) {
  if (heads <= 0) return 0;
  return static_cast<double>(std::max<std::int64_t>((heads + gpus - 1) / gpus, 1));
}

double split(std::int64_t size, std::int64_t gpus) { return static_cast<double>(size) / static_cast<double>(gpus); }

double attention(const Architecture& model, const Layer& layer, std::int64_t gpus) {
  const auto hidden = static_cast<double>(model.hidden);
  const double heads = split(layer.heads, gpus);
  if (model.is_mla()) {
    const Mla& mla = model.mla;
    const auto rope = static_cast<double>(mla.rope_size);
    const auto rank = static_cast<double>(mla.kv_rank);
    const auto q_rank = static_cast<double>(mla.q_rank);
    const double query = heads * static_cast<double>(mla.nope_size + mla.rope_size);
    double out = mla.q_rank > 0 ? hidden * q_rank + q_rank * query : hidden * query;
    out += hidden * (rank + rope);
    out += rank * heads * static_cast<double>(mla.nope_size + mla.value_size);
    return out + heads * static_cast<double>(mla.value_size) * hidden;
  }
  const double query = is_one_of_families(kGatedQuery, model.text_type) ? 2.0 : 1.0;
  const double own = layer.shares_cache ? 0.0 : share(layer.kv_heads, gpus);
  double out = query * heads * static_cast<double>(layer.key_size);
  out += own * static_cast<double>(layer.key_size + layer.value_size);
  out += heads * static_cast<double>(layer.value_size);
  return hidden * out * static_cast<double>(layer.caches);
}

}  // namespace

std::vector<PipelineStage> stages_of(const Architecture& model, const Parallel& parallel) {
  const std::size_t layers = model.layers.size();
  const auto count = static_cast<std::size_t>(
      std::clamp<std::int64_t>(parallel.pipeline, 1, std::max<std::int64_t>(static_cast<std::int64_t>(layers), 1)));
  std::vector<PipelineStage> out;
  for (std::size_t i = 0; i < count; ++i) {
    out.push_back({layers * i / count, layers * (i + 1) / count, i == 0, i + 1 == count});
  }
  return out;
}

ParameterCount count_parameters(const Architecture& model, bool tied, const Parallel& parallel,
                                const PipelineStage& stage) {
  ParameterCount out;
  const std::int64_t gpus = parallel.tensor;
  const auto hidden = static_cast<double>(model.hidden);
  const double vocabulary = split(model.vocabulary, gpus) * hidden;
  if (stage.first) out.embedding = vocabulary;
  if (stage.last && !(tied && stage.first)) out.head = vocabulary;
  if (stage.last) out.other += hidden;
  const double matrices = is_one_of_families(kTwoMatrices, model.text_type) ? 2.0 : 3.0;
  for (std::size_t i = stage.begin; i < stage.end; ++i) {
    Layer layer = model.layers[i];
    if (layer.kind == LayerKind::kLinear) {
      ++out.unknown_layers;
      layer.heads = model.heads;
      layer.kv_heads = model.heads;
    }
    if (layer.kind != LayerKind::kAbsent) out.linear += attention(model, layer, gpus);
    out.linear += matrices * hidden * split(layer.intermediate, gpus);
    if (layer.experts) {
      const Experts& experts = model.experts;
      out.experts += matrices * hidden * split(experts.routed * experts.intermediate, gpus);
      const bool one = experts.shared == 0 && is_one_of_families(kOneShared, model.text_type);
      out.experts += matrices * hidden * split(one ? experts.intermediate : experts.shared_intermediate, gpus);
      out.other += hidden * static_cast<double>(experts.routed);
    }
    out.other += 2 * hidden;
  }
  return out;
}

ParameterCount count_parameters(const Architecture& model, bool tied) {
  return count_parameters(model, tied, {}, stages_of(model, {}).front());
}

bool ties_embeddings(const Architecture& model) {
  if (model.tied_embeddings) return *model.tied_embeddings;
  return std::any_of(std::begin(kTied), std::end(kTied),
                     [&](std::string_view family) { return model.text_type.compare(0, family.size(), family) == 0; });
}

CacheShape cache_shape(const Architecture& model, const Parallel& parallel, const PipelineStage& stage) {
  CacheShape out;
  for (std::size_t i = stage.begin; i < stage.end; ++i) {
    const Layer& layer = model.layers[i];
    if (layer.kind == LayerKind::kLinear) ++out.state_layers;
    if (layer.shares_cache || layer.kind == LayerKind::kLinear || layer.kind == LayerKind::kAbsent) continue;
    const auto caches = static_cast<double>(layer.caches);
    double heads = share(layer.kv_heads, parallel.tensor) * caches;
    double numbers = heads * static_cast<double>(layer.key_size + layer.value_size);
    heads *= 2;  // keys and values
    if (model.is_mla()) {
      numbers = static_cast<double>(model.mla.kv_rank + model.mla.rope_size) * caches;
      heads = caches;
      // The index of sparse attention: 8-bit keys and a 32-bit scale for each token.
      if (model.mla.index_size > 0) out.index_bytes += static_cast<double>(model.mla.index_size + 4) * caches;
    }
    if (layer.window > 0 && (layer.kind == LayerKind::kSliding || layer.compression > 1)) {
      auto found = std::find_if(out.windows.begin(), out.windows.end(),
                                [&](const CacheShape::Window& window) { return window.tokens == layer.window; });
      if (found == out.windows.end()) found = out.windows.insert(out.windows.end(), {layer.window, 0, 0});
      found->numbers += numbers;
      found->heads += heads;
    }
    if (layer.kind == LayerKind::kSliding && layer.window > 0) continue;
    const auto together = static_cast<double>(std::max<std::int64_t>(layer.compression, 1));
    out.numbers += numbers / together;
    out.heads += heads / together;
  }
  return out;
}

}  // namespace quantmap
