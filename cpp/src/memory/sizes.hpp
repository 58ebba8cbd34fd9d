// What a launch says about memory: its parameters by what they mean, whatever the engine calls them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quantmap/mapping/map.hpp"
#include "quantmap/memory/model_size.hpp"
#include "quantmap/release/amount.hpp"

namespace quantmap {

inline constexpr double kMebibyte = 1048576.0;
inline constexpr double kMost = kMostAmount;
inline constexpr double kPlainBytes = 2;  // of a weight or an activation that is not quantized

inline double number(std::int64_t value) { return static_cast<double>(value); }

struct Sizes {
  Parallel parallel;
  std::int64_t context = 0;      // tokens of one sequence; 0: not said
  std::int64_t sequences = 0;    // at the same time, at most
  std::int64_t scored = 0;       // sequences whose next token is sampled when the engine measures itself
  std::int64_t batched = 0;      // tokens of one step
  std::int64_t block = 0;        // tokens of a block
  std::int64_t cache_ranks = 1;  // GPUs that share the cache of one sequence
  std::optional<double> fraction;
  double cache_bytes = 0;         // 0: what is left
  std::int64_t cache_tokens = 0;  // 0: as many as there is room for
  std::int64_t cache_blocks = 0;
  double offload = 0;  // bytes of weights in the host's memory
  bool eager = false;
  bool unified_cache = false;
  std::optional<bool> prefix_caching;
  std::optional<bool> prefill_graphs;
  bool text_only = false;
  bool skip_media = false;
  bool vision_whole = false;
  bool drafts = false;        // speculative decoding with a model
  bool draft_head = false;    // which is one layer on top of the served model
  bool draft_output = false;  // and has an output layer of its own
  std::string expert_kernel;  // as it is asked
  bool windows = false;       // each kind of layer is told how many tokens it keeps
  std::string draft_model;    // a folder or an id
  std::int64_t draft_tokens = 0;
  std::int64_t graph_limit = 0;    // sequences of the largest CUDA graph; 0: the engine's own
  std::int64_t graphs = 0;         // how many; 0: the engine's own
  std::int64_t extra_experts = 0;  // copies beside the model's own
  std::int64_t states = 0;         // 0: as many as there is room for
  bool byte_cache = false;
  std::int64_t lora_rank = 0;  // 0: no adapters
  std::int64_t loras = 1;
  std::optional<double> sliding_share;
  std::optional<double> state_share;
  std::string state_dtype;
};

struct ReadSizes {
  Sizes sizes;
  std::vector<std::string> not_counted;  // flags that are given and mean nothing to the estimate
  std::vector<std::string> wrong;        // flags whose value is no number
};

[[nodiscard]] ReadSizes read_sizes(const Mapping& mapping);

// The flag by which an engine takes something; empty when it has none in this release.
[[nodiscard]] std::string_view flag_of(const Mapping& mapping, MemoryRole role);

}  // namespace quantmap
