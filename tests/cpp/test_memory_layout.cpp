// Layouts of the cache, against block counts that releases printed.
#include <doctest/doctest.h>

#include <cmath>

#include "memory/layout.hpp"
#include "memory/sizes.hpp"
#include "model/kept_modules.hpp"
#include "quantmap/memory/fit.hpp"

using namespace quantmap;

namespace {

constexpr double kGibibyte = 1073741824.0;

LayerCache layer(LayerCache::Kind kind, double numbers, std::int64_t window = 0) {
  return {kind, numbers, 0, 0, window, 0, 0};
}

CacheLayout grouped(TokenReport report, double merge) {
  return {0, 0xFFFF, CacheRule::kGrouped, report, 16, merge, 2, 0, 0, false, {}, {}, {}, {}};
}

std::vector<LayerCache> mix(int full, double full_numbers, int sliding, double sliding_numbers, std::int64_t window) {
  std::vector<LayerCache> out;
  for (int i = 0; i < full; ++i) out.push_back(layer(LayerCache::Kind::kFull, full_numbers));
  for (int i = 0; i < sliding; ++i) out.push_back(layer(LayerCache::Kind::kSliding, sliding_numbers, window));
  return out;
}

Sizes sizes_of(std::int64_t context, std::int64_t batched) {
  Sizes out;
  out.context = context;
  out.batched = batched;
  out.block = 16;
  return out;
}

}  // namespace

TEST_CASE("groups of sliding and full layers count blocks as the engine does") {
  // Ten full and 52 sliding layers of 16 KV heads of 128 are seven groups: 15,997 blocks hold 36,560 tokens.
  const auto layers = mix(10, 4096, 52, 4096, 1024);
  const CacheLayout layout = grouped(TokenReport::kBlocks, 1.5);
  const Sizes sizes = sizes_of(8192, 8192);
  const Cache cache(layout, layers, {}, sizes, false);
  const double block = 10.0 * 4096 * 2 * 16;
  CHECK(cache.tokens(15997 * block, 8192) == 36560);
  CHECK(cache.tokens(15997 * block + block - 1, 8192) == 36560);
}

TEST_CASE("kinds that differ little are padded to the larger") {
  // 12 sliding and 13 full layers: two groups of 13 and not three of 12.
  const auto layers = mix(13, 64, 12, 64, 128);
  const Sizes sizes = sizes_of(1600, 1600);
  const CacheLayout padded = grouped(TokenReport::kBlocks, 1.5);
  const CacheLayout split = grouped(TokenReport::kBlocks, 1);
  const double bytes = 13.0 * 64 * 2 * 16 * 1000;
  CHECK(Cache(padded, layers, {}, sizes, false).tokens(bytes, 1600) == 500 * 16);
  CHECK(Cache(split, layers, {}, sizes, false).tokens(bytes, 1600) < 400 * 16);
}

TEST_CASE("the log counts blocks, later concurrency") {
  // Gemma 4 31B: 50 GiB were 55,000 tokens, with the next release 525,000 of the same bytes.
  const auto layers = mix(10, 4096, 50, 8192, 1024);
  const Sizes sizes = sizes_of(131072, 2048);
  const CacheLayout before = grouped(TokenReport::kBlocks, 1.5);
  const CacheLayout after = grouped(TokenReport::kConcurrency, 1.5);
  CHECK(std::abs(Cache(before, layers, {}, sizes, false).tokens(50 * kGibibyte, 131072) / 55000 - 1) < 0.02);
  CHECK(std::abs(Cache(after, layers, {}, sizes, false).tokens(50 * kGibibyte, 131072) / 525000 - 1) < 0.02);
}

TEST_CASE("states make blocks of attention long") {
  // Ten full layers of 1,024 bytes a token beside 30 states of 2,146,304 bytes: blocks of 2,096 tokens.
  std::vector<LayerCache> layers;
  for (int i = 0; i < 10; ++i) layers.push_back(layer(LayerCache::Kind::kFull, 1024));
  for (int i = 0; i < 30; ++i) layers.push_back({LayerCache::Kind::kState, 0, 0, 0, 0, 24576, 524288});
  const CacheLayout layout = grouped(TokenReport::kConcurrency, 1.5);
  const Sizes sizes = sizes_of(131072, 8192);
  CacheBits bits;
  bits.number = 8;
  bits.state = 32;
  const Cache cache(layout, layers, bits, sizes, false);
  CHECK(std::floor(cache.tokens(5.98 * kGibibyte, 131072)) == 567978);
  CHECK(std::floor(cache.tokens(6.01 * kGibibyte, 131072)) == 569878);
}

TEST_CASE("the need never shrinks with context or sequences") {
  const auto layers = mix(3, 64, 9, 128, 100);
  for (const CacheRule rule : {CacheRule::kUniform, CacheRule::kGrouped, CacheRule::kPools, CacheRule::kWindows}) {
    const CacheLayout layout{0, 0xFFFF, rule, TokenReport::kBlocks, 16, 1.5, 2, 0.8, 0.9, false, {}, {}, {}, {}};
    const Sizes sizes = sizes_of(4096, 512);
    const Cache cache(layout, layers, {}, sizes, true);
    double last = 0;
    for (std::int64_t context = 1; context <= 4096; context += 37) {
      const double needed = cache.needed(context, 3);
      CHECK(needed >= last);
      CHECK(cache.needed(context, 4) >= needed);
      last = needed;
    }
  }
}

TEST_CASE("amounts are read as the engines' parsers read them") {
  CHECK(read_amount("32768") == 32768.0);
  CHECK(read_amount(" 32k ") == 32000.0);
  CHECK(read_amount("32K") == 32768.0);
  CHECK(read_amount("1.5M") == 1572864.0);
  CHECK(read_amount("50GiB") == 50 * kGibibyte);
  CHECK_FALSE(read_amount("auto").has_value());
  CHECK_FALSE(read_amount("-1").has_value());
  CHECK_FALSE(read_amount("12 apples").has_value());
}

TEST_CASE("modules that stay as they are, however the file names them") {
  const KeptModules kept(
      {"model.layers.0.mlp.down_proj", "lm_head", "re:.*self_attn.*", "model.layers.7", "*shared_experts*", "visual"});
  const auto keeps = [&kept](std::size_t layer_index, std::string_view name) {
    return kept.keeps_everywhere(name) || kept.keeps_here(layer_index, name);
  };
  CHECK(keeps(0, "mlp.down_proj"));
  CHECK_FALSE(keeps(1, "mlp.down_proj"));
  CHECK_FALSE(keeps(0, "mlp.gate_proj"));
  CHECK(keeps(3, "self_attn.q_proj"));
  CHECK(keeps(7, "mlp.gate_proj"));
  CHECK(keeps(3, "mlp.shared_experts"));
  CHECK_FALSE(keeps(3, "mlp.experts"));
  CHECK(KeptModules({"re:.*layers\\.3\\..*"}).keeps_here(3, "mlp.experts"));
  CHECK_FALSE(KeptModules({"re:.*layers\\.3\\..*"}).keeps_here(4, "mlp.experts"));
  CHECK(KeptModules({"model.layers.*.self_attn"}).keeps_everywhere("self_attn.q_proj"));
  CHECK(KeptModules({"model.layers.3."}).keeps_here(3, "mlp.experts"));
  CHECK(kept.names("visual.blocks.0.attn.qkv", 8));
  CHECK_FALSE(kept.names("vision_tower.encoder.layers.0.fc1", 8));
  CHECK(kept.names("layers.self_attn.q_proj", 8));
  CHECK(kept.names("layers.mlp.gate_proj", 8));
  CHECK_FALSE(kept.names("layers.mlp.gate_proj", 7));
  CHECK(KeptModules({}).empty());
  CHECK(targets_module({"Linear"}, 0, "mlp.experts"));
  CHECK_FALSE(targets_module({"re:.*self_attn.*"}, 0, "mlp.experts"));
}
