// What an estimate rests on, in sentences.
#include <algorithm>
#include <cmath>

#include "memory/fit_builder.hpp"
#include "quantmap/base/text.hpp"

namespace quantmap {

namespace {

std::string number_text(double value) {
  const std::string text = python_float(value);
  return text.size() > 2 && text.ends_with(".0") ? text.substr(0, text.size() - 2) : text;
}

std::string mebibytes(double bytes) { return std::to_string(std::llround(bytes / kMebibyte)) + " MiB"; }

}  // namespace

void FitBuilder::describe_weights() {
  const StoredBits& bits = inputs_.bits;
  const Checkpoint& checkpoint = inputs_.checkpoint;
  if (!checkpoint.weights) {
    assume("weights: counted from the config, " + number_text(bits.plain) + " bits for each that is not quantized");
    const auto unknown = count_parameters(inputs_.model, inputs_.tied).unknown_layers;
    if (unknown > 0) {
      assume(std::to_string(unknown) +
             " layers with a state instead of a KV cache: their weights are counted as those of attention");
    }
    if (inputs_.model.parts.vision.parameters > 0) {
      assume(sizes_.text_only ? "the vision tower is not loaded" : "half of the vision tower is divided over the GPUs");
    }
  } else if (checkpoint.quantization.quantized()) {
    assume("weights: as stored, from the headers of the files");
  } else {
    assume("weights: counted in the headers of the files, " + number_text(bits.plain) +
           " bits for each that is not quantized");
  }
  if (bits.online) {
    std::string text = "quantized while loading: linear layers with " + number_text(bits.linear) + " bits";
    if (inputs_.model.is_moe()) text += ", experts with " + number_text(bits.experts);
    assume(text + "; embeddings, output layer, norms and routers stay as they are");
  }
  describe_division();
}

void FitBuilder::describe_division() {
  if (const ExpertTile tile = tile_of(inputs_); tile.hidden > 1) {
    assume("experts are stored in multiples of " + std::to_string(tile.hidden) + " x " + std::to_string(tile.width));
  }
  if (fit_.parallel.tensor > 1) {
    assume("norms, routers and what has no heads are whole on each GPU, all other weights are divided evenly");
  }
  if (fit_.parallel.pipeline > 1) {
    assume("layers are divided evenly over " + std::to_string(fit_.parallel.pipeline) +
           " stages; the fullest one is shown");
  }
  describe_draft();
  if (sizes_.lora_rank > 0) {
    assume("adapters: " + std::to_string(sizes_.loras) + " of rank " + std::to_string(sizes_.lora_rank) +
           " on all linear layers");
  }
  if (sizes_.offload > 0) assume(mebibytes(sizes_.offload) + " of weights lie in the host's memory");
}

void FitBuilder::describe_draft() {
  if (!sizes_.drafts) return;
  if (inputs_.draft) {
    assume("draft model " + sizes_.draft_model +
           ": its weights are divided, and its layers cached, like the model's own");
  } else if (sizes_.draft_head) {
    std::string words = "draft head: counted as one layer of the model, whose own file was not read";
    if (sizes_.draft_output) {
      words +=
          ", with an output layer of " + std::to_string(std::min(kDraftWords, inputs_.model.vocabulary)) + " words";
    }
    assume(words);
  } else if (inputs_.model.parts.draft_layers > 0) {
    assume("layers that guess further tokens: " + std::to_string(inputs_.model.parts.draft_layers));
  } else {
    assume("the weights and the cache of the draft model are not counted: its shape is not known");
    fit_.not_counted.push_back("the draft model " + sizes_.draft_model);
  }
}

void FitBuilder::describe_cache(const Cache& cache) {
  assume("KV cache: " + kv_words_);
  const Architecture& model = inputs_.model;
  const std::int64_t gpus = fit_.parallel.attention_gpus();
  if (model.is_mla()) {
    assume("MLA: one latent vector for each token and layer, whole on each GPU");
  } else if (gpus > model.kv_heads && model.kv_heads > 0) {
    assume(std::to_string(model.kv_heads) + " KV heads on " + std::to_string(gpus) +
           " GPUs: each GPU keeps a whole one");
  }
  const std::int64_t window = model.window;
  if (window > 0 && cache.window_bytes(1) > 0) {
    assume("sliding layers keep the last " + std::to_string(window) + " tokens of a sequence, and a step");
  } else if (window > 0 && model.count(LayerKind::kSliding) > 0) {
    assume("sliding layers keep every token, as the release lays out the cache");
  }
  if (cache.state_bytes() > 0) {
    assume(std::to_string(model.count(LayerKind::kLinear)) + " layers keep a state of fixed size, " +
           mebibytes(cache.state_bytes()) + " for each sequence");
  }
  if (model.mla.index_size > 0) {
    assume("the index of sparse attention is cached with 8 bits and a scale for each token");
  }
}

void FitBuilder::describe_memory(const Parts& parts) {
  const std::string_view flag = flag_of(fit_.mapping, MemoryRole::kFraction);
  const std::string share = number_text(std::round(parts.fraction * 10000) / 10000);
  if (parts.reserve > 0 && !sizes_.fraction) {
    assume("the engine keeps " + mebibytes(parts.reserve) +
           " free for activations and CUDA graphs, by its own rule for GPUs of this size");
  } else if (!flag.empty()) {
    assume(std::string(flag) + " " + share + (sizes_.fraction ? ": as asked" : ": what the release takes by itself"));
  }
  if (sizes_.cache_bytes > 0) assume("the KV cache has the size that is asked, whatever else is there");
  assume("activations: one step over " + std::to_string(sizes_.batched) + " tokens, " +
         std::to_string(sizes_.sequences) + " sequences, and buffers, from calibration logs");
  if (parts.graphs > 0) {
    assume("CUDA graphs are inside the engine's share: about " + mebibytes(parts.graphs));
  } else if (!sizes_.eager) {
    assume("CUDA graphs fit into the memory that the engine leaves unused");
  }
  const Gpu& gpu = *fit_.gpu;
  if (gpu.size_assumed) assume("the GPU has " + std::to_string(gpu.sold_gb) + " GB; it is sold in several sizes");
  assume(gpu.reported ? "GPU memory: what CUDA reports, " + mebibytes(inputs_.total)
                      : "GPU memory: 10^9 bytes for each GB sold");
  if (inputs_.corrected) assume("corrected by a boot log of this GPU and release");
}

}  // namespace quantmap
