#include "memory/fit_builder.hpp"

#include <algorithm>
#include <cmath>

#include "quantmap/base/text.hpp"
#include "quantmap/catalog/codes.hpp"
#include "quantmap/deployment/shapes.hpp"

namespace quantmap {

namespace {

constexpr std::int64_t kUsualContext = 8192;
constexpr double kFourBits = 4.25;  // of experts with a scale of 8 bits for 32 numbers
std::uint64_t whole_bytes(double bytes) { return bytes > 0 ? static_cast<std::uint64_t>(std::llround(bytes)) : 0; }

const Precision* precision_of(std::string_view part, const std::vector<const Precision*>& rows) {
  const auto found = std::find_if(rows.begin(), rows.end(), [part](const Precision* row) { return row->of == part; });
  return found == rows.end() ? nullptr : *found;
}

double cuda_bytes(const Gpu& gpu) {
  const auto driver = static_cast<double>(gpu.memory_bytes);
  if (!gpu.reported) return driver;
  const MemoryFacts& facts = catalog().memory;
  for (const CudaMemory& row : facts.products) {
    if (gpu.product != nullptr && gpu.product->id == row.product && gpu.sold_gb == row.gb) return row.mib * kMebibyte;
  }
  return std::max(driver - facts.lost_mib * kMebibyte, 0.0);
}

// Of the routed experts only the chosen ones take part in a token, of the embedding one row.
double active_share(const Architecture& model, bool tied) {
  const ParameterCount count = count_parameters(model, tied);
  const double shared = model.is_moe() && model.experts.per_token > 0
                            ? static_cast<double>(model.experts.per_token) / static_cast<double>(model.experts.routed)
                            : 1.0;
  const double all = count.total();
  return all > 0 ? (all - count.experts * (1 - shared)) / all : 1.0;
}

std::int64_t size_in_config(const Config& config, FieldId field) {
  const Setting setting = effective(config, field);
  return setting.present && setting.number > 0 ? setting.number : 1;
}

}  // namespace

void report_uneven(const Architecture& model, MemoryFit& fit) {
  const std::int64_t gpus = fit.parallel.attention_gpus();
  const auto fits = [gpus](std::int64_t heads) { return heads % gpus == 0 || (heads > 0 && gpus % heads == 0); };
  const bool heads = model.heads <= 0 || model.heads % gpus == 0;
  if (heads && (model.is_mla() || fits(std::max<std::int64_t>(model.kv_heads, 1)))) return;
  fit.mapping.diagnostics.add(
      Code::kUnevenParallelism, "tp",
      {{"value", std::to_string(gpus)},
       {"got", std::to_string(model.heads) + " heads and " + std::to_string(model.kv_heads) + " KV heads"}});
}

FitBuilder::FitBuilder(const Checkpoint& checkpoint, MemoryFit& fit, const Asked& asked)
    : fit_(fit),
      inputs_{checkpoint,
              *checkpoint.architecture,
              fit.mapping,
              0,
              0,
              {},
              false,
              {},
              KeptModules(checkpoint.weights ? std::vector<std::string>{} : checkpoint.quantization.excluded)} {
  const Architecture& model = inputs_.model;
  inputs_.tied = checkpoint.weights ? !checkpoint.weights->has_head : ties_embeddings(model);
  inputs_.weight_ratio = asked.weight_ratio;
  inputs_.held_back = asked.held_back;
  inputs_.corrected = asked.corrected;
  cures_ = asked.cures;
  if (fit.gpu) {
    inputs_.driver = static_cast<double>(fit.gpu->memory_bytes);
    inputs_.total = cuda_bytes(*fit.gpu);
    fit.cuda_bytes = whole_bytes(inputs_.total);
    if (fit.gpu->product != nullptr) inputs_.product = fit.gpu->product->id;
  }
  take_sizes(asked);
  if (model.parts.expert_type.find('4') != std::string::npos) inputs_.expert_bits = expert_bits();
}

// As the release keeps them for the kernel that is asked.
double FitBuilder::expert_bits() const {
  const ReleaseNumber release = fit_.mapping.deployment.release;
  for (const ExpertStorage& row : fit_.mapping.engine->memory.experts) {
    if (!covers(row.since, row.until, release) || !in_mask(row.gpus, fit_.mapping.deployment.gpu)) continue;
    const auto& kernels = row.kernels;
    if (kernels.empty() || std::find(kernels.begin(), kernels.end(), sizes_.expert_kernel) != kernels.end()) {
      return row.bits;
    }
  }
  return kFourBits;
}

void FitBuilder::take_sizes(const Asked& asked) {
  ReadSizes read = read_sizes(fit_.mapping);
  sizes_ = std::move(read.sizes);
  fit_.not_counted = std::move(read.not_counted);
  for (const std::string& flag : read.wrong) fit_.not_counted.push_back(flag + ", whose value is no number");
  const Architecture& model = inputs_.model;
  Parallel& parallel = sizes_.parallel;
  if (asked.tensor > 0) parallel.tensor = asked.tensor;
  if (asked.pipeline > 0) parallel.pipeline = asked.pipeline;
  if (parallel.tensor <= 0) parallel.tensor = size_in_config(fit_.mapping.config, FieldId::kTp);
  if (parallel.pipeline <= 0) parallel.pipeline = size_in_config(fit_.mapping.config, FieldId::kPp);
  const auto layers = static_cast<std::int64_t>(model.layers.size());
  if (asked.pipeline == 0 && parallel.pipeline > layers) parallel.pipeline = std::max<std::int64_t>(layers, 1);
  if (asked.fraction) sizes_.fraction = asked.fraction;
  if (asked.context > 0) sizes_.context = asked.context;
  take_context();
  fill_defaults(inputs_, sizes_);
  if (sizes_.drafts && !sizes_.draft_model.empty()) read_draft(asked.model_cache);
  // Without a model of its own the layers in the model's files are what drafts.
  if (sizes_.draft_model.empty() && model.parts.draft_layers > 0) sizes_.draft_head = false;
  fit_.parallel = parallel;
  fit_.context = sizes_.context;
  fit_.concurrency = asked.concurrency;
  fit_.batched_tokens = sizes_.batched;
  fit_.sequences_at_most = sizes_.sequences;
}

void FitBuilder::take_context() {
  const Architecture& model = inputs_.model;
  if (sizes_.context <= 0) {
    sizes_.context = model.max_length > 0 ? model.max_length : kUsualContext;
    if (model.max_length <= 0) {
      assume("neither request nor model says how long a sequence is: " + std::to_string(kUsualContext) + " tokens");
    }
  }
}

void FitBuilder::read_draft(const std::string& cache) {
  Diagnostics unused;
  auto draft = inspect_checkpoint(Value::text(sizes_.draft_model), Path("checkpoint"), unused, cache);
  if (!draft || !draft->architecture || draft->architecture->hidden <= 0) return;
  inputs_.draft = std::make_shared<const Checkpoint>(std::move(*draft));
}

void FitBuilder::build() {
  read_bits();
  report_uneven(inputs_.model, fit_);
  measure();
}

void FitBuilder::read_bits() {
  const Mapping& mapping = fit_.mapping;
  StoredBits& bits = inputs_.bits;
  const auto rows = effective_precision(*mapping.engine, mapping.deployment, mapping.values);
  const Precision* gemm = precision_of("gemm", rows);
  const Precision* experts = precision_of("moe", rows);
  if (gemm != nullptr && gemm->bits >= 16) bits.plain = gemm->bits;
  bits.linear = bits.experts = bits.cache.number = bits.plain;
  const Quantization& quantization = inputs_.checkpoint.quantization;
  if (quantization.quantized()) {
    const double stored = checkpoint_bits(quantization);
    if (!inputs_.checkpoint.weights && stored > 0) bits.linear = bits.experts = stored;
  } else {
    if (gemm != nullptr && gemm->bits > 0) bits.linear = gemm->bits;
    if (experts != nullptr && experts->bits > 0) bits.experts = experts->bits;
    bits.online = bits.linear < bits.plain || (inputs_.model.is_moe() && bits.experts < bits.plain);
  }
  look_up_bits(inputs_);
  read_cache_bits(precision_of("kv", rows));
}

void FitBuilder::read_cache_bits(const Precision* kv) {
  CacheBits& cache = inputs_.bits.cache;
  kv_words_ = "16 bits for each number";
  if (kv != nullptr) {
    kv_words_ = kv->is;
    if (kv->bits > 0) cache.number = kv->bits;
    cache.head = kv->head_bits;
  }
  const std::string& asked = inputs_.checkpoint.quantization.kv_dtype;
  if ((kv == nullptr || kv->bits == 0) && !asked.empty()) {
    cache.number = asked.find("fp4") != std::string::npos ? 4.5 : 8;
    kv_words_ = "as the checkpoint asks: " + asked;
  }
  if (sizes_.byte_cache) {
    cache.number = 8;
    kv_words_ = "8 bits for each number, as the settings ask";
  }
  fit_.kv_bits = cache.number;
}

void FitBuilder::measure() {
  double weights = 0;
  const PipelineStage stage = fullest_stage(inputs_, sizes_, fit_.concurrency, weights);
  const Cache cache = cache_of(inputs_, sizes_, stage);
  fit_.parameters =
      inputs_.checkpoint.weights
          ? inputs_.checkpoint.weights->parameters
          : whole_bytes(count_parameters(inputs_.model, inputs_.tied).total() + inputs_.model.parts.vision.parameters);
  fit_.active_share = active_share(inputs_.model, inputs_.tied);
  fit_.weights_exact = inputs_.checkpoint.weights.has_value() && inputs_.checkpoint.weights->complete;
  fit_.weight_bytes = whole_bytes(weights);
  fit_.kv_token_bytes = cache.token_bytes();
  fit_.kv_window_bytes = cache.window_bytes(sizes_.context);
  fit_.state_bytes = cache.state_bytes();
  fit_.kv_needed_bytes = whole_bytes(cache.needed(sizes_.context, fit_.concurrency));
  describe_weights();
  describe_cache(cache);
  const Engine& engine = *fit_.mapping.engine;
  if (fit_.gpu && engine.memory.known()) {
    judge(cache, weights);
  } else if (fit_.gpu) {
    assume("how " + std::string(engine.name) + " divides the memory is not known: sizes, and no verdict");
  }
  if (!fit_.mapping.diagnostics.has_errors()) return;
  fit_.verdict = FitVerdict::kRefused;
  fit_.cures.clear();  // what is refused needs another cure than memory: each error has its own
}

std::int64_t FitBuilder::longest(const Cache& cache, double budget, std::int64_t concurrency) const {
  if (budget <= 0) return 0;
  std::int64_t low = 0;
  std::int64_t high = sizes_.context;
  while (low < high) {
    const std::int64_t middle = low + (high - low + 1) / 2;
    if (cache.needed(middle, concurrency) <= budget) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

void FitBuilder::judge(const Cache& cache, double weights) {
  const Parts best = divide(inputs_, sizes_, weights, Guess::kBest);
  const Parts careful = divide(inputs_, sizes_, weights, Guess::kLow);
  const Parts hopeful = divide(inputs_, sizes_, weights, Guess::kHigh);
  const auto capped = [&](double tokens, double budget) {
    if (sizes_.cache_blocks > 0) return static_cast<double>(sizes_.cache_blocks * sizes_.block);
    if (sizes_.cache_tokens > 0 && budget > 0) return std::min(tokens, static_cast<double>(sizes_.cache_tokens));
    return tokens;
  };
  const auto tokens = [&](const Parts& parts) {
    return std::min(capped(cache.tokens(parts.budget, sizes_.context), parts.budget), kMost);
  };
  fit_.activation_bytes = whole_bytes(best.peak);
  fit_.graph_bytes = whole_bytes(best.graphs);
  fit_.kept_free_bytes = whole_bytes(best.kept_free);
  fit_.kv_budget_bytes = whole_bytes(best.budget);
  fit_.kv_budget_band = {std::max(careful.budget, 0.0), std::max(hopeful.budget, 0.0)};
  fit_.fraction = best.fraction;
  fit_.tokens = static_cast<std::int64_t>(tokens(best));
  fit_.tokens_band = {tokens(careful), tokens(hopeful)};
  fit_.sequences =
      static_cast<std::int64_t>(std::min(std::max(cache.sequences(best.budget, sizes_.context), 0.0), kMost));
  fit_.longest = longest(cache, best.budget, fit_.concurrency);
  const bool whole_length = fit_.longest == sizes_.context;
  fit_.verdict = whole_length       ? FitVerdict::kTight
                 : fit_.longest > 0 ? FitVerdict::kLessContext
                                    : FitVerdict::kDoesNotFit;
  if (whole_length && longest(cache, careful.budget, fit_.concurrency) == sizes_.context) {
    fit_.verdict = FitVerdict::kFits;
  }
  describe_memory(best);
  if (fit_.verdict != FitVerdict::kFits && cures_) find_cures(cache, careful);
}

// What the user may change so that even the careful guess fits: a shorter context, more GPUs, fewer sequences.
void FitBuilder::find_cures(const Cache& cache, const Parts& careful) {
  const std::string_view context = flag_of(fit_.mapping, MemoryRole::kContext);
  const std::int64_t shorter = longest(cache, careful.budget, fit_.concurrency) / 16 * 16;
  if (shorter > 0 && !context.empty()) fit_.cures.push_back(std::string(context) + " " + std::to_string(shorter));
  const std::string_view tensor = flag_of(fit_.mapping, MemoryRole::kTensor);
  const auto goes = sizes_that_go(*fit_.mapping.engine, fit_.mapping.deployment, fit_.mapping.values);
  for (std::int64_t gpus = 2 * sizes_.parallel.tensor; gpus <= 64 && !tensor.empty(); gpus *= 2) {
    if (inputs_.model.heads % gpus != 0) break;
    if (!goes.empty() && std::find(goes.begin(), goes.end(), gpus) == goes.end()) continue;
    Sizes more = sizes_;
    more.parallel.tensor = gpus;
    double weights = 0;
    const PipelineStage stage = fullest_stage(inputs_, more, fit_.concurrency, weights);
    const double budget = divide(inputs_, more, weights, Guess::kLow).budget;
    if (cache_of(inputs_, more, stage).needed(more.context, fit_.concurrency) > budget) continue;
    fit_.cures.push_back(std::string(tensor) + " " + std::to_string(gpus));
    break;
  }
  const auto at_once = static_cast<std::int64_t>(std::max(cache.sequences(careful.budget, sizes_.context), 0.0));
  if (at_once > 0 && at_once < fit_.concurrency) {
    fit_.cures.push_back("--concurrency " + std::to_string(at_once));
  }
}

}  // namespace quantmap
