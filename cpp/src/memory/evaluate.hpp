// Memory of one GPU for given sizes: a pure function, so that a question can be asked with other sizes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "memory/layout.hpp"
#include "memory/sizes.hpp"
#include "model/kept_modules.hpp"
#include "quantmap/memory/fit.hpp"

namespace quantmap {

// Bits of one number as it lies in a GPU's memory.
struct StoredBits {
  double plain = 16;   // what is not quantized
  double linear = 16;  // linear layers outside experts
  double experts = 16;
  bool online = false;  // weights are quantized while loading
  CacheBits cache;
};

// Bits of each module as it is stored: the same whatever the sizes, so they are looked up once.
struct ModuleBits {
  std::string_view name;
  std::vector<double> by_layer;
};

// Everything that does not change with the sizes asked.
struct Inputs {
  const Checkpoint& checkpoint;
  const Architecture& model;
  const Mapping& mapping;
  double total = 0;   // bytes that CUDA reports; 0: no GPU
  double driver = 0;  // bytes that the driver reports
  std::string_view product;
  bool tied = false;
  StoredBits bits;
  KeptModules kept;
  std::vector<ModuleBits> module_bits{};
  double expert_bits = 0;  // of stored experts; 0: as their scheme says
  // What a log of this GPU and release showed: weights by so much, and bytes that the cache does not get.
  double weight_ratio = 1;
  double held_back = 0;
  bool corrected = false;
  std::shared_ptr<const Checkpoint> draft{};  // the draft model, when its shape is known
};

// The parts may be as far from the truth as calibration cases show: less room, the best guess, more room.
enum class Guess : std::int8_t { kLow = -1, kBest = 0, kHigh = 1 };

struct Parts {
  double weights = 0;
  double peak = 0;    // activations, buffers outside PyTorch
  double graphs = 0;  // CUDA graphs, where the share of memory holds them
  double adapters = 0;
  double kept_free = 0;
  double budget = 0;  // for the cache; may be negative
  double fraction = 0;
  double reserve = 0;  // that the engine's own rule leaves free
};

// The first row of an interval table that holds for a release.
template <typename Row>
[[nodiscard]] const Row* row_of(Rows<Row> rows, ReleaseNumber release) {
  for (const Row& row : rows) {
    if (row.since <= release && release < row.until) return &row;
  }
  return nullptr;
}

constexpr double kUsualFraction = 0.9;

// What the engine takes by itself, where the launch says nothing.
void fill_defaults(const Inputs& inputs, Sizes& sizes);
void look_up_bits(Inputs& inputs);
[[nodiscard]] double weight_bytes(const Inputs& inputs, const Sizes& sizes, const PipelineStage& stage);
// Assumed of a draft head's own output layer, whose file is not read; it has at most the model's words.
inline constexpr std::int64_t kDraftWords = 32000;
// Bytes of what guesses further tokens, where the model's own layers have `layer_bytes`; negative where the files hold
// layers for it that are not loaded.
[[nodiscard]] double draft_bytes(const Inputs& inputs, const Sizes& sizes, double layer_bytes);
void add_draft_caches(const Inputs& inputs, const Sizes& sizes, std::vector<LayerCache>& layers);
// Where an engine's rule for it is known, and it has no fixed share; 0.9 otherwise.
[[nodiscard]] double own_share(const Inputs& inputs, const Sizes& sizes);
[[nodiscard]] ExpertTile tile_of(const Inputs& inputs);
[[nodiscard]] Cache cache_of(const Inputs& inputs, const Sizes& sizes, const PipelineStage& stage);
[[nodiscard]] Parts divide(const Inputs& inputs, const Sizes& sizes, double weights, Guess guess);
// Of the first scheme of a checkpoint; 0: not said.
[[nodiscard]] double checkpoint_bits(const Quantization& quantization);
// The fullest stage with its weights.
[[nodiscard]] PipelineStage fullest_stage(const Inputs& inputs, const Sizes& sizes, std::int64_t concurrency,
                                          double& weights);

}  // namespace quantmap
