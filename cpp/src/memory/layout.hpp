// How an engine lays out its cache, and so how many tokens a number of bytes holds.
//
// Grouped (vLLM's hybrid manager, vllm/v1/core/kv_cache_utils.py): layers of one kind stand in groups of one size, all
// blocks have the size of the largest, and a sequence holds blocks in each group: its whole length in full layers, the
// window and a step in sliding ones, one or two in layers with a state. Pools (SGLang): full layers, sliding layers
// and states have memory of their own. Windows: sliding layers keep their window, states come on top.
#pragma once

#include <cstdint>
#include <vector>

#include "memory/sizes.hpp"
#include "quantmap/catalog/memory_tables.hpp"
#include "quantmap/memory/model_size.hpp"

namespace quantmap {

struct CacheBits {
  double number = 16;
  double head = 0;    // of a scale for each token and head
  double state = 16;  // of a number of a recurrent state
  double plain = 16;  // of a number of a convolution's window
};

class Cache {
 public:
  Cache(const CacheLayout& layout, const std::vector<LayerCache>& layers, const CacheBits& bits, const Sizes& sizes,
        bool pooled);

  // Bytes that so many sequences of so many tokens hold; never less with more of either.
  [[nodiscard]] double needed(std::int64_t context, std::int64_t concurrency) const;
  // Sequences of so many tokens in so many bytes.
  [[nodiscard]] double sequences(double bytes, std::int64_t context) const;
  // Tokens as the engine's log counts them.
  [[nodiscard]] double tokens(double bytes, std::int64_t context) const;

  [[nodiscard]] double token_bytes() const noexcept { return token_bytes_; }
  [[nodiscard]] double window_bytes(std::int64_t context) const;              // of one sequence, in sliding layers
  [[nodiscard]] double state_bytes() const noexcept { return state_bytes_; }  // of one sequence

 private:
  struct Kind {
    LayerCache::Kind kind;
    std::int64_t window;
    double token_bytes;  // of one layer
    double page_bytes;   // of a state
    std::int64_t layers;
    std::int64_t block;
  };

  void collect(const std::vector<LayerCache>& layers, const CacheBits& bits);
  void group();
  void align_states();
  [[nodiscard]] double blocks(std::int64_t context) const;
  [[nodiscard]] double budget_of_tokens(double bytes) const;
  [[nodiscard]] std::int64_t state_blocks() const noexcept;

  const CacheLayout& layout_;
  const Sizes& sizes_;
  bool pooled_ = false;
  std::vector<Kind> kinds_;
  double token_bytes_ = 0;
  double state_bytes_ = 0;
  bool grouped_ = false;
  std::int64_t block_ = 1;  // tokens
  std::int64_t least_block_ = 1;
  double block_bytes_ = 0;  // of one block in all layers of a group
  std::int64_t groups_ = 0;
  std::int64_t group_size_ = 1;
};

}  // namespace quantmap
