#include "memory/layout.hpp"

#include <algorithm>
#include <cmath>

namespace quantmap {

namespace {

constexpr double kNever = 1e18;  // more bytes than there are

std::int64_t divide_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / std::max<std::int64_t>(b, 1); }

}  // namespace

Cache::Cache(const CacheLayout& layout, const std::vector<LayerCache>& layers, const CacheBits& bits,
             const Sizes& sizes, bool pooled)
    : layout_(layout), sizes_(sizes), pooled_(pooled) {
  block_ = least_block_ = sizes.block > 0 ? sizes.block : layout.block;
  collect(layers, bits);
  const bool mixed = std::any_of(kinds_.begin(), kinds_.end(), [&](const Kind& kind) {
    return kind.kind != kinds_.front().kind || kind.window != kinds_.front().window;
  });
  if (layout.rule == CacheRule::kGrouped && mixed) group();
}

void Cache::collect(const std::vector<LayerCache>& layers, const CacheBits& bits) {
  const bool bare = (layout_.rule == CacheRule::kPools || (layout_.told && !sizes_.windows)) && !pooled_;
  const bool flat = layout_.rule == CacheRule::kUniform || sizes_.unified_cache || bare;
  for (const LayerCache& layer : layers) {
    Kind kind{layer.kind, layer.window, 0, 0, 1, block_};
    if (kind.kind == LayerCache::Kind::kSliding && flat) kind.kind = LayerCache::Kind::kFull;
    if (kind.kind != LayerCache::Kind::kSliding) kind.window = 0;
    kind.token_bytes = (layer.numbers * bits.number + layer.heads * bits.head) / 8 + layer.index_bytes;
    kind.page_bytes = (layer.convolved * bits.plain + layer.state * bits.state) / 8;
    if (kind.kind == LayerCache::Kind::kFull) token_bytes_ += kind.token_bytes;
    state_bytes_ += kind.page_bytes;
    const auto same = std::find_if(kinds_.begin(), kinds_.end(), [&](const Kind& other) {
      return other.kind == kind.kind && other.window == kind.window && other.token_bytes == kind.token_bytes &&
             other.page_bytes == kind.page_bytes;
    });
    if (same == kinds_.end()) {
      kinds_.push_back(kind);
    } else {
      ++same->layers;
    }
  }
}

// A block of attention is made as long as a state is large, and the state is padded to it.
void Cache::align_states() {
  double largest = 0;
  double least = 0;
  for (const Kind& kind : kinds_) {
    largest = std::max(largest, kind.page_bytes);
    if (kind.kind == LayerCache::Kind::kState) continue;
    least = least == 0 ? kind.token_bytes : std::min(least, kind.token_bytes);
  }
  if (largest == 0 || least == 0) return;
  const auto tokens = static_cast<std::int64_t>(std::ceil(largest / least));
  block_ = std::max(block_, divide_up(tokens, block_) * block_);
  for (Kind& kind : kinds_) kind.block = block_;
  least_block_ = block_;
}

void Cache::group() {
  grouped_ = true;
  align_states();
  double page = 0;
  for (const Kind& kind : kinds_) {
    page = std::max(page, std::max(kind.page_bytes, kind.token_bytes * static_cast<double>(kind.block)));
  }
  std::int64_t fewest = kinds_.front().layers;
  std::int64_t most = 0;
  for (Kind& kind : kinds_) {
    // A smaller layer gets longer blocks of the same size where that divides, else it is padded.
    const double own = kind.token_bytes * static_cast<double>(kind.block);
    const double times = own > 0 ? page / own : 0;
    if (times > 1 && times == std::floor(times)) kind.block *= static_cast<std::int64_t>(times);
    fewest = std::min(fewest, kind.layers);
    most = std::max(most, kind.layers);
  }
  const bool merged = static_cast<double>(most) < static_cast<double>(fewest) * layout_.merge;
  group_size_ = merged ? most : fewest;
  for (const Kind& kind : kinds_) groups_ += divide_up(kind.layers, group_size_);
  block_bytes_ = page * static_cast<double>(group_size_);
}

std::int64_t Cache::state_blocks() const noexcept {
  const std::int64_t resident = sizes_.prefix_caching.value_or(true) ? layout_.states : 1;
  return std::max<std::int64_t>(resident, 1) + (sizes_.drafts ? sizes_.draft_tokens : 0);
}

// Of one sequence, in all groups.
double Cache::blocks(std::int64_t context) const {
  double out = 0;
  for (const Kind& kind : kinds_) {
    const auto groups = static_cast<double>(divide_up(kind.layers, group_size_));
    std::int64_t count = state_blocks();
    if (kind.kind == LayerCache::Kind::kFull) {
      count = divide_up(divide_up(context, sizes_.cache_ranks), kind.block);
    } else if (kind.kind == LayerCache::Kind::kSliding) {
      count = divide_up(std::min(kind.window - 1 + sizes_.batched, context), kind.block) + 1;
    }
    out += groups * static_cast<double>(count);
  }
  return out;
}

double Cache::window_bytes(std::int64_t context) const {
  double out = 0;
  for (const Kind& kind : kinds_) {
    if (kind.kind != LayerCache::Kind::kSliding) continue;
    out += kind.token_bytes * static_cast<double>(kind.layers) * static_cast<double>(std::min(kind.window, context));
  }
  return out;
}

// What of the memory is left for tokens beside states, and beside the pool of sliding layers.
double Cache::budget_of_tokens(double bytes) const {
  if (layout_.rule != CacheRule::kPools) return bytes;
  if (state_bytes_ > 0 && sizes_.states > 0) {
    bytes = std::max(bytes - state_bytes_ * static_cast<double>(sizes_.states), 0.0);
  } else if (state_bytes_ > 0) {
    bytes /= 1 + sizes_.state_share.value_or(layout_.state_share);
  }
  const double sliding = window_bytes(1);
  if (sliding <= 0) return bytes;
  const double share = sizes_.sliding_share.value_or(layout_.sliding_share) * sliding;
  // All layers slide: their pool is all there is.
  return token_bytes_ > 0 ? bytes * token_bytes_ / (token_bytes_ + share) : bytes;
}

double Cache::needed(std::int64_t context, std::int64_t concurrency) const {
  const auto at_once = static_cast<double>(concurrency);
  if (grouped_) return blocks(context) * at_once * block_bytes_;
  const std::int64_t own = divide_up(context, sizes_.cache_ranks);
  const auto length = static_cast<double>(divide_up(own, block_) * block_);
  const double states = state_bytes_ * static_cast<double>(state_blocks());
  const double tokens = token_bytes_ * length;
  if (layout_.rule != CacheRule::kPools) return (tokens + window_bytes(context) + states) * at_once;
  // The pool that is full first decides, and the others are as much larger as the engine divides.
  if (states > 0 && sizes_.states > 0) {
    if (states * at_once > state_bytes_ * static_cast<double>(sizes_.states)) return kNever;
    return tokens * at_once + state_bytes_ * static_cast<double>(sizes_.states);
  }
  const double all = tokens > 0 ? tokens * at_once / budget_of_tokens(1.0) : window_bytes(context) * at_once;
  const double share = sizes_.state_share.value_or(layout_.state_share);
  return states > 0 && share > 0 ? std::max(all, states * at_once * (1 + share) / share) : all;
}

double Cache::sequences(double bytes, std::int64_t context) const {
  const double one = needed(context, 1);
  if (!grouped_) return one > 0 ? bytes / one : 0;
  return std::floor(bytes / block_bytes_) / std::max(blocks(context), 1.0);
}

double Cache::tokens(double bytes, std::int64_t context) const {
  if (bytes <= 0) return 0;
  const auto ranks = static_cast<double>(sizes_.cache_ranks);
  if (grouped_) {
    if (layout_.report == TokenReport::kConcurrency) return sequences(bytes, context) * static_cast<double>(context);
    const double count = std::floor(bytes / block_bytes_);
    return std::floor(count / static_cast<double>(groups_)) * static_cast<double>(least_block_) * ranks;
  }
  if (layout_.rule == CacheRule::kPools || token_bytes_ <= 0 || window_bytes(context) + state_bytes_ <= 0) {
    const double each = token_bytes_ > 0 ? token_bytes_ : window_bytes(1);
    if (each <= 0) return 0;
    return std::floor(budget_of_tokens(bytes) / each / static_cast<double>(block_)) * static_cast<double>(block_) *
           ranks;
  }
  return sequences(bytes, context) * static_cast<double>(context);
}

}  // namespace quantmap
