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
#include "quantmap/memory/model_size.hpp"
#include "quantmap/model/checkpoint.hpp"
#include "quantmap/release/gpu.hpp"

namespace quantmap {

enum class FitVerdict : std::uint8_t { kFits, kLessContext, kDoesNotFit, kUnknown };
[[nodiscard]] std::string_view name_of(FitVerdict verdict) noexcept;

struct FitRequest {
  Value runtime;
  Value quant_config;
  Value engine_version;
  Value gpu;              // null: no verdict
  Value tensor;           // null: what the config says, else 1
  Value pipeline;         // likewise
  Value context;          // null: the longest that the model is made for
  Value concurrency;      // null: 1
  Value memory_fraction;  // null: the engine's default
  Value user_parameters;
  std::string default_gpu;  // when no GPU is named
  std::string default_versions;
};

// All sizes are bytes of one GPU, the one with most to hold.
struct MemoryFit {
  Mapping mapping;
  std::optional<Gpu> gpu;
  Parallel parallel;
  std::int64_t context = 0;
  std::int64_t concurrency = 1;

  std::uint64_t parameters = 0;  // of the whole model
  bool weights_exact = false;    // from the headers of the weight files
  std::uint64_t weight_bytes = 0;
  double kv_bits = 16;
  double kv_token_bytes = 0;           // of layers that keep every token
  double kv_window_bytes = 0;          // at most, for each sequence, of sliding layers
  std::uint64_t activation_bytes = 0;  // activations, CUDA context, buffers
  std::uint64_t kept_free_bytes = 0;   // what the engine leaves alone
  std::uint64_t kv_budget_bytes = 0;   // what is left for the KV cache
  std::uint64_t kv_needed_bytes = 0;   // of `concurrency` sequences of `context` tokens
  double fraction = 0;                 // of memory, as the engine counts it

  std::int64_t tokens = 0;     // that fit, in sequences of `context`
  std::int64_t sequences = 0;  // of `context` that fit at the same time
  std::int64_t longest = 0;    // context that fits `concurrency` times
  FitVerdict verdict = FitVerdict::kUnknown;
  std::vector<std::string> assumptions;
};

// Nothing when `problems` got an error; its warnings are in the mapping's diagnostics.
[[nodiscard]] std::optional<MemoryFit> estimate_fit(const std::shared_ptr<const Checkpoint>& checkpoint,
                                                    const FitRequest& request, Diagnostics& problems);

}  // namespace quantmap
