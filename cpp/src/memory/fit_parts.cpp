#include "memory/fit_parts.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "quantmap/base/text.hpp"
#include "quantmap/config/validate.hpp"

namespace quantmap {

namespace {

constexpr double kMebibyte = 1048576.0;
constexpr double kUsualFraction = 0.9;
constexpr double kLogitRows = 256;  // sequences whose next-token scores are held at once, in 32 bits
constexpr double kHalf = 2;         // bytes of an activation

std::string number_text(double value) {
  const std::string text = python_float(value);
  return text.size() > 2 && text.ends_with(".0") ? text.substr(0, text.size() - 2) : text;
}

const Precision* precision_of(std::string_view part, const std::vector<const Precision*>& rows) {
  const auto found = std::find_if(rows.begin(), rows.end(), [part](const Precision* row) { return row->of == part; });
  return found == rows.end() ? nullptr : *found;
}

std::uint64_t whole(double bytes) { return bytes > 0 ? static_cast<std::uint64_t>(std::llround(bytes)) : 0; }

// Bits of one weight of a scheme with its scales: 16 bits for each group, as GPTQ, AWQ and compressed-tensors store
// them, 8 for each 16 weights in NVFP4 and for each 32 in MXFP4, 32 for each block of a block-wise scheme.
double scheme_bits(const Scheme& scheme) {
  double bits = scheme.weight_bits;
  const double group = scheme.group_size > 0 ? static_cast<double>(scheme.group_size) : 0;
  const auto block = static_cast<double>(scheme.block[0] * scheme.block[1]);
  if (scheme.weight_type.find("fp4") != std::string::npos && bits <= 4) {
    return 4 + 8 / (group > 0 ? group : 32);
  }
  if (block > 0) return bits + 32 / block;
  if (group > 0) bits += (scheme.symmetric.value_or(false) ? 16 : 16 + bits) / group;
  return bits;
}

}  // namespace

std::optional<double> read_share(const Value& value, Diagnostics& problems) {
  if (value.is_null()) return std::nullopt;
  const Path path("memory_fraction");
  double share = value.as_real();
  if (value.kind() == Value::Kind::kInteger) {
    share = value.as_text() == "1" ? 1.0 : 0.0;
  } else if (value.kind() != Value::Kind::kReal) {
    report_wrong_type(value, "a number", path, problems);
    return std::nullopt;
  }
  if (share > 0 && share <= 1) return share;
  const std::string shown = value.kind() == Value::Kind::kReal ? python_float(share) : value.as_text();
  problems.add(Code::kOutOfRange, path.str(), {{"value", std::string(head(shown, 40))}, {"known", "above 0, up to 1"}});
  return std::nullopt;
}

void report_uneven(const Architecture& model, MemoryFit& fit) {
  const std::int64_t gpus = fit.parallel.tensor;
  const auto fits = [gpus](std::int64_t heads) { return heads % gpus == 0 || (heads > 0 && gpus % heads == 0); };
  const bool heads = model.heads <= 0 || model.heads % gpus == 0;
  if (heads && (model.is_mla() || fits(std::max<std::int64_t>(model.kv_heads, 1)))) return;
  fit.mapping.diagnostics.add(
      Code::kUnevenParallelism, "tp",
      {{"value", std::to_string(gpus)},
       {"got", std::to_string(model.heads) + " heads and " + std::to_string(model.kv_heads) + " KV heads"}});
}

void FitBuilder::build() {
  tied_ = checkpoint_.weights ? !checkpoint_.weights->has_head : ties_embeddings(model_);
  read_bits();
  describe_weights();
  describe_cache();
  // The stage that is full first decides.
  double least = -1;
  for (const PipelineStage& stage : stages_of(model_, fit_.parallel)) {
    const CacheShape shape = cache_shape(model_, fit_.parallel, stage);
    const double weights = weight_bytes(stage);
    const double needed = sequence_bytes(shape, fit_.context) * static_cast<double>(fit_.concurrency);
    if (weights + needed < least) continue;
    least = weights + needed;
    fit_.weight_bytes = whole(weights);
    fit_.kv_token_bytes = sequence_bytes({shape.numbers, shape.heads, shape.index_bytes, {}, 0}, 1);
    fit_.kv_window_bytes = sequence_bytes({0, 0, 0, shape.windows, 0}, fit_.context);
    fit_.kv_needed_bytes = whole(needed);
    if (fit_.gpu) divide_memory(weights);
    judge(shape);
  }
}

void FitBuilder::read_bits() {
  const Mapping& mapping = fit_.mapping;
  const auto rows = effective_precision(*mapping.engine, mapping.deployment, mapping.values);
  const Precision* gemm = precision_of("gemm", rows);
  const Precision* experts = precision_of("moe", rows);
  const Precision* kv = precision_of("kv", rows);
  if (gemm != nullptr && gemm->bits >= 16) bits_.plain = gemm->bits;
  bits_.linear = bits_.experts = bits_.kv = bits_.plain;
  if (checkpoint_.quantization.quantized()) {
    read_checkpoint_bits();
  } else {
    if (gemm != nullptr && gemm->bits > 0) bits_.linear = gemm->bits;
    if (experts != nullptr && experts->bits > 0) bits_.experts = experts->bits;
    bits_.online = bits_.linear < bits_.plain || (model_.is_moe() && bits_.experts < bits_.plain);
  }
  std::string why = "16 bits for each number";
  if (kv != nullptr) {
    why = kv->is;
    if (kv->bits > 0) bits_.kv = kv->bits;
    bits_.kv_head = kv->head_bits;
  }
  if ((kv == nullptr || kv->bits == 0) && !checkpoint_.quantization.kv_dtype.empty()) {
    bits_.kv = checkpoint_.quantization.kv_dtype.find("fp4") != std::string::npos ? 4.5 : 8;
    why = "as the checkpoint asks: " + checkpoint_.quantization.kv_dtype;
  }
  fit_.kv_bits = bits_.kv;
  assume("KV cache: " + why);
}

void FitBuilder::read_checkpoint_bits() {
  const Quantization& quantization = checkpoint_.quantization;
  if (checkpoint_.weights || quantization.schemes.empty()) return;
  const double bits = scheme_bits(quantization.schemes.front());
  if (bits <= 0) return;
  const bool attention_kept =
      std::any_of(quantization.excluded.begin(), quantization.excluded.end(),
                  [](const std::string& name) { return name.find("attn") != std::string::npos; });
  bits_.experts = bits;
  if (!(model_.is_moe() && attention_kept)) bits_.linear = bits;
}

void FitBuilder::describe_weights() {
  const ParameterCount count = count_parameters(model_, tied_);
  fit_.parameters = checkpoint_.weights ? checkpoint_.weights->parameters : whole(count.total());
  fit_.weights_exact = checkpoint_.weights.has_value() && checkpoint_.weights->complete;
  if (!checkpoint_.weights) {
    assume("weights: counted from the config, " + number_text(bits_.plain) + " bits for each that is not quantized");
    if (count.unknown_layers > 0) {
      assume(std::to_string(count.unknown_layers) +
             " layers with a state instead of a KV cache: their weights are counted as those of attention");
    }
  } else if (checkpoint_.quantization.quantized()) {
    assume("weights: as stored, from the headers of the files");
  } else {
    assume("weights: counted in the headers of the files, " + number_text(bits_.plain) +
           " bits for each that is not quantized");
  }
  if (bits_.online) {
    std::string text = "quantized while loading: linear layers with " + number_text(bits_.linear) + " bits";
    if (model_.is_moe()) text += ", experts with " + number_text(bits_.experts);
    assume(text + "; embeddings, output layer, norms and routers stay as they are");
  }
  if (fit_.parallel.tensor > 1) assume("norms and routers are whole on each GPU, all other weights are divided evenly");
  if (fit_.parallel.pipeline > 1) {
    assume("layers are divided evenly over " + std::to_string(fit_.parallel.pipeline) +
           " stages; the fullest one is shown");
  }
}

void FitBuilder::describe_cache() {
  if (model_.is_mla()) {
    assume("MLA: one latent vector for each token and layer, whole on each GPU");
  } else if (fit_.parallel.tensor > model_.kv_heads && model_.kv_heads > 0) {
    assume(std::to_string(model_.kv_heads) + " KV heads on " + std::to_string(fit_.parallel.tensor) +
           " GPUs: each GPU keeps a whole one");
  }
  const CacheShape shape = cache_shape(model_, fit_.parallel, stages_of(model_, {}).front());
  for (const CacheShape::Window& window : shape.windows) {
    assume("sliding layers keep the last " + std::to_string(window.tokens) +
           " tokens of a sequence; an engine that keeps all needs more");
  }
  if (shape.index_bytes > 0) assume("the index of sparse attention is cached with 8 bits and a scale for each token");
  if (shape.state_layers > 0) {
    assume(std::to_string(shape.state_layers) +
           " layers keep a state of fixed size for each sequence instead of a KV cache: it is not counted");
  }
}

double FitBuilder::stored_bytes(ModuleClass part, double share, double counted) const {
  double bits = bits_.plain;
  if (part == ModuleClass::kLinear) bits = bits_.linear;
  if (part == ModuleClass::kExperts) bits = bits_.experts;
  if (!checkpoint_.weights) return counted * bits / 8;
  const WeightShare& exact = checkpoint_.weights->of(part);
  if (checkpoint_.quantization.quantized()) return static_cast<double>(exact.bytes) * share;
  return static_cast<double>(exact.parameters) * bits / 8 * share;
}

double FitBuilder::weight_bytes(const PipelineStage& stage) const {
  const ParameterCount all = count_parameters(model_, tied_);
  const ParameterCount own = count_parameters(model_, tied_, fit_.parallel, stage);
  const auto share = [](double part, double of) { return of > 0 ? part / of : 1.0; };
  double out = stored_bytes(ModuleClass::kLinear, share(own.linear, all.linear), own.linear);
  out += stored_bytes(ModuleClass::kExperts, share(own.experts, all.experts), own.experts);
  out += stored_bytes(ModuleClass::kEmbedding, share(own.embedding, all.embedding), own.embedding);
  // The last stage of a tied model has a second copy of the embedding.
  const bool copied = tied_ && own.head > 0;
  out += stored_bytes(copied ? ModuleClass::kEmbedding : ModuleClass::kHead,
                      share(own.head, copied ? all.embedding : all.head), own.head);
  out += stored_bytes(ModuleClass::kNorm, share(own.other, all.other), own.other);
  return out + (checkpoint_.weights ? stored_bytes(ModuleClass::kOther, 1.0, 0) : 0);
}

double FitBuilder::sequence_bytes(const CacheShape& shape, std::int64_t tokens) const {
  const auto of = [this](double numbers, double heads) { return (numbers * bits_.kv + heads * bits_.kv_head) / 8; };
  double out = (of(shape.numbers, shape.heads) + shape.index_bytes) * static_cast<double>(tokens);
  for (const CacheShape::Window& window : shape.windows) {
    out += of(window.numbers, window.heads) * static_cast<double>(std::min(tokens, window.tokens));
  }
  return out;
}

// One step over the most tokens that the engine computes at once: residual, normed input, queries and output of
// attention, gate and up projection of the widest MLP; then the scores of the next tokens.
double FitBuilder::activation_bytes() const {
  const MemoryPolicy& policy = fit_.mapping.engine->memory;
  std::int64_t widest = model_.experts.per_token * model_.experts.intermediate + model_.experts.shared_intermediate;
  for (const Layer& layer : model_.layers) widest = std::max(widest, layer.intermediate);
  const double row = 4.0 * static_cast<double>(model_.hidden) +
                     2.0 * static_cast<double>(widest) / static_cast<double>(fit_.parallel.tensor);
  return static_cast<double>(policy.batched_tokens) * row * kHalf +
         kLogitRows * static_cast<double>(model_.vocabulary) * 4 + static_cast<double>(policy.context_mib) * kMebibyte;
}

// The share that the request, a parameter or the release's own value gives.
std::optional<double> FitBuilder::engine_fraction() {
  const Mapping& mapping = fit_.mapping;
  const MemoryPolicy& policy = mapping.engine->memory;
  std::string text;
  std::string source = "as asked";
  if (fraction_) return fraction_;
  for (const Argument& argument : mapping.arguments) {
    if (argument.flag == policy.flag) text = to_text(argument.value);
  }
  if (text.empty()) {
    if (const auto known = find_flag(mapping.engine->surface, policy.flag, mapping.deployment.release)) {
      text = known->interval->fallback;
      source = "what the release takes by itself";
    }
  }
  double share = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), share);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || !(share > 0 && share <= 1)) {
    return std::nullopt;
  }
  assume(std::string(policy.flag) + " " + text + ": " + source);
  return share;
}

void FitBuilder::divide_memory(double weights) {
  const MemoryPolicy& policy = fit_.mapping.engine->memory;
  const auto total = static_cast<double>(fit_.gpu->memory_bytes);
  const bool first = fit_.fraction == 0;
  std::optional<double> fraction = first ? engine_fraction() : std::optional<double>(fit_.fraction);
  double budget = 0;
  if (policy.holds == FractionHolds::kStatic) {
    double reserve = 0;
    if (!fraction) {
      for (const MemoryReserve& row : policy.reserve) {
        reserve = static_cast<double>(row.mib) * kMebibyte;
        if (total < static_cast<double>(row.below_mib) * kMebibyte) break;
      }
      reserve += static_cast<double>(policy.reserve_per_gpu_mib) * kMebibyte *
                 static_cast<double>(fit_.parallel.tensor * fit_.parallel.pipeline);
      fraction = std::max(0.0, (total - reserve) / total);
      assume("the engine keeps " + std::to_string(whole(reserve / kMebibyte)) +
             " MiB free for activations and CUDA graphs, by its own rule for GPUs of this size");
    }
    fit_.activation_bytes = whole(total * (1 - *fraction));
    budget = total * *fraction - weights;
  } else {
    if (!fraction) {
      fraction = kUsualFraction;
      assume("the engine's own share of memory is not known: " + number_text(kUsualFraction));
    }
    const double activations = activation_bytes();
    if (first) {
      assume("activations: one step over " + std::to_string(policy.batched_tokens) + " tokens, and " +
             std::to_string(policy.context_mib) + " MiB for CUDA context and buffers");
    }
    fit_.activation_bytes = whole(activations);
    if (policy.of == FractionOf::kFree) {
      const double free = std::max(0.0, total - weights - activations);
      budget = total - weights - activations > 0 ? free * *fraction : total - weights - activations;
      fit_.kept_free_bytes = whole(free * (1 - *fraction));
    } else {
      budget = total * *fraction - weights - activations;
      fit_.kept_free_bytes = whole(total * (1 - *fraction));
      if (first) assume("CUDA graphs lie in what the engine leaves free");
    }
  }
  fit_.fraction = *fraction;
  fit_.kv_budget_bytes = whole(budget);
  if (!first) return;
  if (fit_.gpu->size_assumed) {
    assume("the GPU is sold in several sizes: " + std::to_string(fit_.gpu->sold_gb) + " GB is taken");
  }
  assume(fit_.gpu->reported ? "GPU memory: what the driver reports" : "GPU memory: 10^9 bytes for each GB sold");
}

void FitBuilder::judge(const CacheShape& shape) {
  if (!fit_.gpu) return;
  const auto budget = static_cast<double>(fit_.kv_budget_bytes);
  const double sequence = sequence_bytes(shape, fit_.context);
  const auto at_once = static_cast<double>(fit_.concurrency);
  constexpr double kMost = 1e15;
  fit_.sequences = sequence > 0 ? static_cast<std::int64_t>(std::min(budget / sequence, kMost)) : 0;
  const double tokens = sequence > 0 ? budget / sequence * static_cast<double>(fit_.context) : 0;
  fit_.tokens = static_cast<std::int64_t>(std::min(tokens, kMost));
  std::int64_t low = 0;
  std::int64_t high = fit_.context;
  while (low < high) {
    const std::int64_t middle = low + (high - low + 1) / 2;
    if (sequence_bytes(shape, middle) * at_once <= budget) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  fit_.longest = budget > 0 ? low : 0;
  fit_.verdict = fit_.longest == fit_.context ? FitVerdict::kFits
                 : fit_.longest > 0           ? FitVerdict::kLessContext
                                              : FitVerdict::kDoesNotFit;
}

}  // namespace quantmap
