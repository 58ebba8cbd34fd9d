// Whether a model fits: weights, KV cache and what else a GPU's memory holds, for one config on one engine release.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quantmap/base/diagnostic.hpp"
#include "quantmap/catalog/catalog.hpp"
#include "quantmap/mapping/map.hpp"
#include "quantmap/mapping/request.hpp"
#include "quantmap/memory/model_size.hpp"
#include "quantmap/model/checkpoint.hpp"
#include "quantmap/release/gpu.hpp"

namespace quantmap {

// kTight: the best guess fits, the careful one does not.
enum class FitVerdict : std::uint8_t { kFits, kTight, kLessContext, kDoesNotFit, kRefused, kUnknown };
[[nodiscard]] std::string_view name_of(FitVerdict verdict) noexcept;

// "context", "tensor": what a parameter means to memory.
[[nodiscard]] std::string_view name_of(MemoryRole role) noexcept;

// No GPU: no verdict.
struct FitRequest : DeploymentRequest {
  Value runtime;
  Value quant_config;
  Value tensor;           // null: what the launch says, else 1
  Value pipeline;         // likewise
  Value context;          // null: what the launch says, else the longest that the model is made for
  Value concurrency;      // null: 1
  Value memory_fraction;  // null: what the launch says, else the engine's own
  Value user_parameters;
  Value correction;   // null, or an object: bytes that a log showed beside weights, and its weights' share
  bool cures = true;  // look for what makes it fit
};

// From the careful to the hopeful guess.
struct Band {
  double low = 0;
  double high = 0;
};

// All sizes are bytes of one GPU, the one with most to hold.
struct MemoryFit {
  Mapping mapping;
  std::optional<Gpu> gpu;
  std::uint64_t cuda_bytes = 0;  // what CUDA reports; less than the driver does
  Parallel parallel;
  std::int64_t context = 0;
  std::int64_t concurrency = 1;
  std::int64_t batched_tokens = 0;  // of one step
  std::int64_t sequences_at_most = 0;

  std::uint64_t parameters = 0;  // of the whole model
  double active_share = 1;       // of the weights that take part in one token
  bool weights_exact = false;    // from the headers of the weight files
  std::uint64_t weight_bytes = 0;
  double kv_bits = 16;
  double kv_token_bytes = 0;           // of layers that keep every token
  double kv_window_bytes = 0;          // at most, for each sequence, of sliding layers
  double state_bytes = 0;              // for each sequence, of layers with a state
  std::uint64_t activation_bytes = 0;  // activations, buffers
  std::uint64_t graph_bytes = 0;       // CUDA graphs, where the engine's share holds them
  std::uint64_t kept_free_bytes = 0;   // what the engine leaves alone
  std::uint64_t kv_budget_bytes = 0;   // what is left for the KV cache
  Band kv_budget_band;
  std::uint64_t kv_needed_bytes = 0;  // of `concurrency` sequences of `context` tokens
  double fraction = 0;                // of memory, as the engine counts it

  std::int64_t tokens = 0;  // that the engine's log will show
  Band tokens_band;
  std::int64_t sequences = 0;  // of `context` that fit at the same time
  std::int64_t longest = 0;    // context that fits `concurrency` times
  FitVerdict verdict = FitVerdict::kUnknown;
  std::vector<std::string> cures;  // each makes it fit: "--max-model-len 32768"
  std::vector<std::string> not_counted;
  std::vector<std::string> assumptions;
};

// Nothing when `problems` got an error; its warnings are in the mapping's diagnostics.
[[nodiscard]] std::optional<MemoryFit> estimate_fit(const FitRequest& request, Diagnostics& problems);

}  // namespace quantmap
