#include "memory/evaluate.hpp"

#include <algorithm>
#include <cmath>

namespace quantmap {

namespace {

// Bits of one weight of a scheme with its scales: 16 bits for each group, as GPTQ, AWQ and compressed-tensors store
// them, 8 for each 16 weights in NVFP4 and for each 32 in MXFP4, 32 for each block of a block-wise scheme.
double scheme_bits(const Scheme& scheme) {
  double bits = scheme.weight_bits;
  const double group = scheme.group_size > 0 ? number(scheme.group_size) : 0;
  const auto block = number(scheme.block[0] * scheme.block[1]);
  if (scheme.weight_type.find("fp4") != std::string::npos && bits <= 4) return 4 + 8 / (group > 0 ? group : 32);
  if (block > 0) return bits + 32 / block;
  if (group > 0) bits += (scheme.symmetric.value_or(false) ? 16 : 16 + bits) / group;
  return bits;
}

double stored_bits(const Inputs& inputs, ModuleClass part) {
  if (part == ModuleClass::kLinear) return inputs.bits.linear;
  return part == ModuleClass::kExperts ? inputs.bits.experts : inputs.bits.plain;
}

// Bytes of one class on one GPU: of the stored ones where headers were read, else counted.
double class_bytes(const Inputs& inputs, ModuleClass part, double own, double all, double counted) {
  if (!inputs.checkpoint.weights) return counted;
  const WeightShare& exact = inputs.checkpoint.weights->of(part);
  const double share = all > 0 ? own / all : 1.0;
  if (inputs.checkpoint.quantization.quantized()) return static_cast<double>(exact.bytes) * share;
  return static_cast<double>(exact.parameters) * stored_bits(inputs, part) / 8 * share;
}

double bits_of(const Inputs& inputs, const ModuleSize& module) {
  for (const ModuleBits& row : inputs.module_bits) {
    if (row.name.data() == module.name.data() && module.layer < row.by_layer.size()) return row.by_layer[module.layer];
  }
  return stored_bits(inputs, module.part);
}

// Bits of a module that is quantized, `usual` with one scheme.
double quantized_bits(const Inputs& inputs, const ModuleSize& module, double usual) {
  if (module.part == ModuleClass::kExperts && inputs.expert_bits > 0) return inputs.expert_bits;
  const std::vector<Scheme>& schemes = inputs.checkpoint.quantization.schemes;
  if (schemes.size() <= 1) return usual;
  const auto scheme = std::find_if(schemes.begin(), schemes.end(), [&](const Scheme& item) {
    return scheme_bits(item) > 0 && targets_module(item.targets, module.layer, module.name);
  });
  return scheme == schemes.end() ? inputs.bits.plain : scheme_bits(*scheme);
}

struct ClassSums {
  double numbers[kModuleClasses] = {};
  double bytes[kModuleClasses] = {};
};

ClassSums sum_classes(const Inputs& inputs, const Parallel& parallel, const PipelineStage& stage, bool tiled) {
  ClassSums out;
  visit_modules(inputs.model, inputs.tied, parallel, stage, tiled ? tile_of(inputs) : ExpertTile{},
                [&](const ModuleSize& module) {
                  const auto part = static_cast<std::size_t>(module.part);
                  out.numbers[part] += module.numbers;
                  out.bytes[part] += module.numbers * bits_of(inputs, module) / 8;
                });
  return out;
}

double adapter_bytes(const Inputs& inputs, const Sizes& sizes, const PipelineStage& stage) {
  if (sizes.lora_rank <= 0) return 0;
  // Inputs and outputs of the linear layers, the embedding and the output layer: one of the two is the hidden size,
  // which is whole on each GPU.
  double columns = 0;
  const double hidden = std::max(number(inputs.model.hidden), 1.0);
  visit_modules(inputs.model, false, sizes.parallel, stage, {}, [&](const ModuleSize& module) {
    const bool word = module.part == ModuleClass::kEmbedding || module.part == ModuleClass::kHead;
    if (module.part == ModuleClass::kLinear || word) columns += module.matrices * hidden + module.numbers / hidden;
  });
  return columns * number(sizes.lora_rank) * number(std::max<std::int64_t>(sizes.loras, 1)) * kPlainBytes;
}

// The largest of: one step through the layers, the scores of the next tokens, one picture through the vision tower;
// and beside it the workspace of experts, which stays.
double step_bytes(const Inputs& inputs, const Sizes& sizes, const MemoryPeak& row) {
  const Architecture& model = inputs.model;
  std::int64_t widest = model.experts.shared_intermediate;
  for (const Layer& layer : model.layers) widest = std::max(widest, layer.intermediate);
  const double token =
      row.hidden_copies * number(model.hidden) + row.mlp_copies * number(widest) / number(sizes.parallel.tensor);
  const double step = token * kPlainBytes * number(sizes.batched);
  const double scores = number(std::min(sizes.scored, sizes.batched)) * number(model.vocabulary) * row.score_bytes;
  const VisionShape& vision = model.parts.vision;
  const double split = sizes.vision_whole ? 1 : number(sizes.parallel.tensor);
  const double patch = 2 * vision.hidden + 2 * vision.intermediate / split;
  const double pictures = vision.tokens > 0 ? std::max(std::floor(number(sizes.batched) / vision.tokens), 1.0) : 1;
  const double picture = sizes.text_only || sizes.skip_media ? 0 : pictures * vision.patches * patch * kPlainBytes;
  double workspace = 0;
  if (model.is_moe()) {
    const double width = 2 * number(model.experts.intermediate) / number(sizes.parallel.expert_gpus());
    workspace = row.expert_copies * number(model.experts.per_token) * (width + number(model.hidden)) * kPlainBytes *
                number(sizes.batched);
  }
  return std::max({step, scores, picture}) + workspace;
}

// Sizes of CUDA graphs: powers of two up to 8, then every eighth up to twice the sequences, at most 512 or what is
// asked; captured for mixed steps, and up to the sequences for decoding alone.
double graph_count(const Sizes& sizes) {
  if (sizes.graphs > 0) return 2 * number(sizes.graphs);
  const auto sizes_up_to = [](std::int64_t most) { return most <= 8 ? 4.0 : 3.0 + number(most) / 8; };
  const std::int64_t limit =
      sizes.graph_limit > 0 ? sizes.graph_limit : std::min<std::int64_t>(2 * sizes.sequences, 512);
  return sizes_up_to(limit) + sizes_up_to(std::min(sizes.sequences, limit));
}

// Whether a row holds for the release and a GPU of this size.
template <typename Row>
bool covers(const Inputs& inputs, const Row& row) {
  const ReleaseNumber release = inputs.mapping.deployment.release;
  return row.since <= release && release < row.until &&
         inputs.driver / kMebibyte >= static_cast<double>(row.at_least_mib);
}

const MemoryPeak& peak_of(const Inputs& inputs) {
  static constexpr MemoryPeak kNone{0, 0, 0, 1024, 500, 4, 2, 1, 4, 0, 0, false};
  for (const MemoryPeak& peak : inputs.mapping.engine->memory.peaks) {
    if (covers(inputs, peak)) return peak;
  }
  return kNone;
}

double graph_bytes(const Inputs& inputs, const Sizes& sizes, const MemoryPeak& row) {
  if (!row.graphs_inside || sizes.eager) return 0;
  const double layers = number(static_cast<std::int64_t>(inputs.model.layers.size())) /
                        number(std::max<std::int64_t>(sizes.parallel.pipeline, 1));
  return (row.graph_fixed_mib + row.graph_mib * graph_count(sizes) * layers) * kMebibyte;
}

double outside_bytes(const Sizes& sizes, const MemoryPeak& row) {
  return (row.fixed_mib + (sizes.parallel.tensor > 1 ? row.peer_mib : 0)) * kMebibyte;
}

double fraction_of(const Inputs& inputs, const Sizes& sizes) {
  if (sizes.fraction) return *sizes.fraction;
  const MemoryPolicy& policy = inputs.mapping.engine->memory;
  if (!policy.reserve.empty()) return own_share(inputs, sizes);
  const std::string_view flag = flag_of(inputs.mapping, MemoryRole::kFraction);
  if (const auto known = find_flag(inputs.mapping.engine->surface, flag, inputs.mapping.deployment.release)) {
    if (const auto value = read_amount(known->interval->fallback)) return *value;
  }
  return kUsualFraction;
}

}  // namespace

ExpertTile tile_of(const Inputs& inputs) {
  const Quantization& quantization = inputs.checkpoint.quantization;
  const auto uses = [&](std::string_view type) {
    return std::any_of(quantization.schemes.begin(), quantization.schemes.end(),
                       [type](const Scheme& scheme) { return scheme.weight_type == type; });
  };
  for (const KernelPadding& row : inputs.mapping.engine->memory.padding) {
    const ReleaseNumber release = inputs.mapping.deployment.release;
    if (row.since > release || release >= row.until || !uses(row.weight_type)) continue;
    if (in_mask(row.gpus, inputs.mapping.deployment.gpu)) return {row.hidden, row.width};
  }
  return {};
}

void look_up_bits(Inputs& inputs) {
  const Quantization& quantization = inputs.checkpoint.quantization;
  if (!quantization.quantized() || quantization.schemes.empty() || inputs.checkpoint.weights) return;
  std::vector<ModuleBits>& table = inputs.module_bits;
  visit_modules(inputs.model, inputs.tied, {}, stages_of(inputs.model, {}).front(), {}, [&](const ModuleSize& module) {
    if (module.part != ModuleClass::kLinear && module.part != ModuleClass::kExperts) return;
    auto row =
        std::find_if(table.begin(), table.end(), [&](const ModuleBits& item) { return item.name == module.name; });
    if (row == table.end()) {
      const bool kept = inputs.kept.keeps_everywhere(module.name);
      const double usual = kept ? inputs.bits.plain : stored_bits(inputs, module.part);
      row = table.insert(table.end(), {module.name, std::vector<double>(inputs.model.layers.size(), usual)});
    }
    double& bits = row->by_layer[module.layer];
    if (inputs.kept.keeps_here(module.layer, module.name)) bits = inputs.bits.plain;
    if (bits != inputs.bits.plain) bits = quantized_bits(inputs, module, bits);
  });
}

double checkpoint_bits(const Quantization& quantization) {
  return quantization.schemes.empty() ? 0 : scheme_bits(quantization.schemes.front());
}

double weight_bytes(const Inputs& inputs, const Sizes& sizes, const PipelineStage& stage) {
  const ClassSums all =
      inputs.checkpoint.weights ? sum_classes(inputs, {}, stages_of(inputs.model, {}).front(), false) : ClassSums{};
  const ClassSums own = sum_classes(inputs, sizes.parallel, stage, true);
  const auto of = [&](ModuleClass part) {
    const auto i = static_cast<std::size_t>(part);
    return class_bytes(inputs, part, own.numbers[i], all.numbers[i], own.bytes[i]);
  };
  const double routed = std::max(number(inputs.model.experts.routed), 1.0);
  const double layers =
      of(ModuleClass::kLinear) + of(ModuleClass::kExperts) * (1 + number(sizes.extra_experts) / routed);
  double out = layers + draft_bytes(inputs, sizes, layers) + of(ModuleClass::kEmbedding) + of(ModuleClass::kNorm);
  // The last stage of a tied model has a second copy of the embedding.
  const auto head = static_cast<std::size_t>(ModuleClass::kHead);
  const auto embedding = static_cast<std::size_t>(ModuleClass::kEmbedding);
  const bool copied = inputs.tied && own.numbers[head] > 0;
  out += class_bytes(inputs, copied ? ModuleClass::kEmbedding : ModuleClass::kHead, own.numbers[head],
                     all.numbers[copied ? embedding : head], own.bytes[head]);
  if (inputs.checkpoint.weights) {
    out += class_bytes(inputs, ModuleClass::kOther, 1, 1, 0);
  } else if (!sizes.text_only && stage.first) {
    // Some parts of a vision tower are divided and some are not: between whole and divided.
    const double divided = sizes.vision_whole ? 1 : (1 + 1 / number(sizes.parallel.tensor)) / 2;
    out += inputs.model.parts.vision.parameters * divided * inputs.bits.plain / 8;
  }
  return std::max(out * inputs.weight_ratio - sizes.offload, 0.0);
}

Cache cache_of(const Inputs& inputs, const Sizes& sizes, const PipelineStage& stage) {
  const CacheLayout* layout = row_of(inputs.mapping.engine->memory.layouts, inputs.mapping.deployment.release);
  static constexpr CacheLayout kPlain{0,     0, CacheRule::kWindows, TokenReport::kBlocks, 1, 1, 1, 0, 0, false, 1, 0,
                                      false, {}};
  if (layout == nullptr) layout = &kPlain;
  const std::string& type = inputs.model.text_type;
  const bool pooled = std::any_of(layout->families.begin(), layout->families.end(),
                                  [&](std::string_view family) { return type.starts_with(family); });
  CacheBits bits = inputs.bits.cache;
  bits.plain = inputs.bits.plain;
  bits.state = layout->wide_states || inputs.model.parts.recurrent.wide ? 32 : bits.plain;
  if (sizes.state_dtype.find("32") != std::string::npos) bits.state = 32;
  if (sizes.state_dtype.find("16") != std::string::npos) bits.state = 16;
  std::vector<LayerCache> layers = layer_caches(inputs.model, sizes.parallel, stage, layout->lanes);
  if (inputs.model.is_mla() && layout->word > 0 && bits.number > 0) {
    // A block has room for whole words, however few tokens it holds.
    const double tokens = number(std::max<std::int64_t>(sizes.block, 1));
    const double packed = std::max(number(layout->word) / bits.number, 1.0);
    for (LayerCache& layer : layers) layer.numbers *= std::ceil(tokens / packed) * packed / tokens;
  }
  if (stage.last) add_draft_caches(inputs, sizes, layers);
  return {*layout, layers, bits, sizes, pooled};
}

void fill_defaults(const Inputs& inputs, Sizes& sizes) {
  const MemoryPolicy& policy = inputs.mapping.engine->memory;
  const ReleaseNumber release = inputs.mapping.deployment.release;
  const CacheLayout* layout = row_of(policy.layouts, release);
  if (sizes.block <= 0) sizes.block = layout != nullptr ? layout->block : 1;
  for (const BatchDefault& row : policy.batch) {
    if (!covers(inputs, row) || (row.above_context > 0 && sizes.context <= row.above_context)) continue;
    if (std::find(row.except.begin(), row.except.end(), inputs.product) != row.except.end()) continue;
    sizes.scored = sizes.sequences > 0 && row.scored > 0 ? sizes.sequences : row.scored;
    if (sizes.sequences <= 0) sizes.sequences = row.sequences;
    if (sizes.batched <= 0) sizes.batched = row.tokens > 0 ? row.tokens : sizes.context;
    break;
  }
  sizes.batched = std::max<std::int64_t>(sizes.batched, 1);
  sizes.sequences = std::max<std::int64_t>(sizes.sequences, 1);
}

PipelineStage fullest_stage(const Inputs& inputs, const Sizes& sizes, std::int64_t concurrency, double& weights) {
  PipelineStage fullest;
  double most = -1;
  for (const PipelineStage& stage : stages_of(inputs.model, sizes.parallel)) {
    const double own = weight_bytes(inputs, sizes, stage) + adapter_bytes(inputs, sizes, stage);
    const double held = own + cache_of(inputs, sizes, stage).needed(sizes.context, concurrency);
    if (held < most) continue;
    most = held;
    weights = own;
    fullest = stage;
  }
  return fullest;
}

Parts divide(const Inputs& inputs, const Sizes& sizes, double weights, Guess guess) {
  Parts out;
  out.weights = weights;
  if (inputs.total <= 0) return out;
  const MemoryPolicy& policy = inputs.mapping.engine->memory;
  const MemoryPeak& row = peak_of(inputs);
  out.fraction = fraction_of(inputs, sizes);
  if (!sizes.fraction && !policy.reserve.empty()) out.reserve = inputs.driver * (1 - out.fraction);
  const double outside = outside_bytes(sizes, row);
  out.peak = outside + step_bytes(inputs, sizes, row);
  out.graphs = graph_bytes(inputs, sizes, row);
  const double own = policy.holds == FractionHolds::kStatic ? outside : out.peak + out.graphs;
  const bool exact = inputs.checkpoint.weights && inputs.checkpoint.weights->complete;
  const double band =
      policy.band.mib * kMebibyte + policy.band.peak * own + policy.band.weights * weights * (exact ? 0.5 : 1.0);
  // A correction takes most of the doubt away, not all: two logs of one machine differ too.
  const double shift = static_cast<double>(guess) * band * (inputs.corrected ? 0.4 : 1.0) - inputs.held_back;
  if (policy.holds == FractionHolds::kStatic) {
    out.budget = (inputs.total - outside) * out.fraction - weights + shift;
    out.peak = std::max(inputs.total - weights - out.budget, 0.0);
  } else if (policy.of == FractionOf::kFree) {
    const double free = inputs.total - weights - out.peak + shift;
    out.budget = free > 0 ? free * out.fraction : free;
    out.kept_free = std::max(free - out.budget, 0.0);
  } else {
    out.budget = inputs.total * out.fraction - weights - out.peak - out.graphs + shift;
    out.kept_free = inputs.total * (1 - out.fraction);
  }
  if (sizes.cache_bytes > 0) out.budget = sizes.cache_bytes;
  return out;
}

}  // namespace quantmap
