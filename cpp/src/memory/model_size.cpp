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

double rounded(std::int64_t size, std::int64_t tile) {
  const std::int64_t tiles = (size + tile - 1) / tile;
  return static_cast<double>(tiles * tile);
}

// Goes over the modules of one stage on one GPU.
class Walk {
 public:
  Walk(const Architecture& model, const Parallel& parallel, const ExpertTile& tile,
       const std::function<void(const ModuleSize&)>& visit)
      : model_(model), parallel_(parallel), tile_(tile), visit_(visit), hidden_(static_cast<double>(model.hidden)) {}

  void layer(std::size_t index, const Layer& layer) {
    index_ = index;
    if (layer.kind == LayerKind::kLinear && model_.parts.recurrent.known()) {
      recurrent();
    } else if (layer.kind != LayerKind::kAbsent) {
      attention(layer);
    }
    mlp(layer);
    put("input_layernorm", ModuleClass::kNorm, 2 * hidden_);
  }

 private:
  void put(std::string_view name, ModuleClass part, double numbers, double matrices = 1) {
    if (numbers > 0) visit_({index_, name, part, numbers, matrices});
  }

  void recurrent() {
    const RecurrentShape& shape = model_.parts.recurrent;
    const auto gpus = static_cast<double>(parallel_.tensor);
    put("linear_attn.in_proj", ModuleClass::kLinear, hidden_ * shape.in / gpus);
    put("linear_attn.out_proj", ModuleClass::kLinear, hidden_ * shape.out / gpus);
    put("linear_attn.conv1d", ModuleClass::kNorm, shape.extra / gpus);
  }

  void attention(Layer layer) {
    if (layer.kind == LayerKind::kLinear) layer.heads = layer.kv_heads = model_.heads;
    const double heads = split(layer.heads, parallel_.attention_gpus());
    if (model_.is_mla()) return latent(heads);
    const auto blocks = static_cast<double>(layer.caches);
    const double query = is_one_of_families(kGatedQuery, model_.text_type) ? 2.0 : 1.0;
    const double own = layer.shares_cache ? 0.0 : share(layer.kv_heads, parallel_.attention_gpus());
    put("self_attn.q_proj", ModuleClass::kLinear,
        hidden_ * query * heads * static_cast<double>(layer.key_size) * blocks);
    put("self_attn.k_proj", ModuleClass::kLinear, hidden_ * own * static_cast<double>(layer.key_size) * blocks);
    put("self_attn.v_proj", ModuleClass::kLinear, hidden_ * own * static_cast<double>(layer.value_size) * blocks);
    put("self_attn.o_proj", ModuleClass::kLinear, hidden_ * heads * static_cast<double>(layer.value_size) * blocks);
  }

  // Only what has heads is divided: the projections to the latent vectors are whole on each GPU.
  void latent(double heads) {
    const Mla& mla = model_.mla;
    const auto rope = static_cast<double>(mla.rope_size);
    const auto rank = static_cast<double>(mla.kv_rank);
    const auto q_rank = static_cast<double>(mla.q_rank);
    const auto value = static_cast<double>(mla.value_size);
    const auto nope = static_cast<double>(mla.nope_size);
    const double query = heads * (nope + rope);
    put("self_attn.q_a_proj", ModuleClass::kLinear, mla.q_rank > 0 ? hidden_ * q_rank : 0);
    put("self_attn.q_b_proj", ModuleClass::kLinear, mla.q_rank > 0 ? q_rank * query : hidden_ * query);
    put("self_attn.kv_a_proj_with_mqa", ModuleClass::kLinear, hidden_ * (rank + rope));
    put("self_attn.kv_b_proj", ModuleClass::kLinear, rank * heads * (nope + value));
    put("self_attn.o_proj", ModuleClass::kLinear, heads * value * hidden_);
  }

  void mlp(const Layer& layer) {
    const double matrices = is_one_of_families(kTwoMatrices, model_.text_type) ? 2.0 : 3.0;
    put("mlp.down_proj", ModuleClass::kLinear, matrices * hidden_ * split(layer.intermediate, parallel_.tensor),
        matrices);
    if (!layer.experts) return;
    const Experts& experts = model_.experts;
    const std::int64_t gpus = parallel_.expert_gpus();
    // Whole experts, or a part of each: the width of a part is what the kernel's tile rounds.
    const double width = tile_.width > 1 ? rounded((experts.intermediate + gpus - 1) / gpus, tile_.width)
                                         : split(experts.intermediate, gpus);
    put("mlp.experts", ModuleClass::kExperts,
        matrices * rounded(model_.hidden, tile_.hidden) * static_cast<double>(experts.routed) * width);
    const bool one = experts.shared == 0 && is_one_of_families(kOneShared, model_.text_type);
    put("mlp.shared_experts", ModuleClass::kExperts,
        matrices * hidden_ * split(one ? experts.intermediate : experts.shared_intermediate, parallel_.tensor));
    put("mlp.gate", ModuleClass::kNorm, hidden_ * static_cast<double>(experts.routed));
  }

  const Architecture& model_;
  const Parallel& parallel_;
  const ExpertTile& tile_;
  const std::function<void(const ModuleSize&)>& visit_;
  double hidden_;
  std::size_t index_ = 0;
};

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

void visit_modules(const Architecture& model, bool tied, const Parallel& parallel, const PipelineStage& stage,
                   const ExpertTile& tile, const std::function<void(const ModuleSize&)>& visit) {
  const auto hidden = static_cast<double>(model.hidden);
  const double vocabulary = split(model.vocabulary, parallel.tensor) * hidden;
  constexpr std::size_t kNone = ModuleSize::kNoLayer;
  if (stage.first) {
    visit({kNone, "embed_tokens", ModuleClass::kEmbedding, vocabulary + model.parts.layer_embeddings});
  }
  if (stage.last && !(tied && stage.first)) visit({kNone, "lm_head", ModuleClass::kHead, vocabulary});
  if (stage.last) visit({kNone, "norm", ModuleClass::kNorm, hidden});
  Walk walk(model, parallel, tile, visit);
  for (std::size_t i = stage.begin; i < stage.end; ++i) walk.layer(i, model.layers[i]);
}

ParameterCount count_parameters(const Architecture& model, bool tied, const Parallel& parallel,
                                const PipelineStage& stage) {
  ParameterCount out;
  visit_modules(model, tied, parallel, stage, {}, [&out](const ModuleSize& module) {
    double* const sums[] = {&out.linear, &out.experts, &out.embedding, &out.head, &out.other, &out.other};
    *sums[static_cast<std::size_t>(module.part)] += module.numbers;
  });
  if (!model.parts.recurrent.known()) {
    for (std::size_t i = stage.begin; i < stage.end; ++i) {
      if (model.layers[i].kind == LayerKind::kLinear) ++out.unknown_layers;
    }
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

std::vector<LayerCache> layer_caches(const Architecture& model, const Parallel& parallel, const PipelineStage& stage,
                                     std::int64_t lanes) {
  std::vector<LayerCache> out;
  const RecurrentShape& recurrent = model.parts.recurrent;
  const auto gpus = static_cast<double>(parallel.tensor);
  for (std::size_t i = stage.begin; i < stage.end; ++i) {
    const Layer& layer = model.layers[i];
    if (layer.kind == LayerKind::kLinear) {
      const double convolved = recurrent.convolved * static_cast<double>(recurrent.window) / gpus;
      if (convolved + recurrent.state > 0) {
        out.push_back({LayerCache::Kind::kState, 0, 0, 0, 0, convolved, recurrent.state / gpus});
      }
      continue;
    }
    if (layer.shares_cache || layer.kind == LayerKind::kAbsent) continue;
    const auto caches = static_cast<double>(layer.caches);
    LayerCache cache;
    cache.heads = share(layer.kv_heads, parallel.attention_gpus()) * caches;
    cache.numbers = cache.heads * (rounded(layer.key_size, lanes) + rounded(layer.value_size, lanes));
    cache.heads *= 2;  // keys and values
    if (model.is_mla()) {
      cache.numbers = (rounded(model.mla.kv_rank, lanes) + rounded(model.mla.rope_size, lanes)) * caches;
      cache.heads = caches;
      // The index of sparse attention: 8-bit keys and a 32-bit scale for each token.
      if (model.mla.index_size > 0) cache.index_bytes = static_cast<double>(model.mla.index_size + 4) * caches;
    }
    if (layer.window > 0 && (layer.kind == LayerKind::kSliding || layer.compression > 1)) {
      LayerCache window = cache;
      window.kind = LayerCache::Kind::kSliding;
      window.window = layer.window;
      window.index_bytes = 0;
      out.push_back(window);
    }
    if (layer.kind == LayerKind::kSliding && layer.window > 0) continue;
    const auto together = static_cast<double>(std::max<std::int64_t>(layer.compression, 1));
    cache.numbers /= together;
    cache.heads /= together;
    out.push_back(cache);
  }
  return out;
}

}  // namespace quantmap
