// The shape of a model, from its config: what decides parameters, KV cache and which settings mean anything.
//
// Configs name the same thing in many ways (`num_hidden_layers`, `n_layer`) and describe layers by patterns. The
// reader turns both into numbers and one entry per layer. A number that the config does not give is 0.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quantmap/base/diagnostic.hpp"
#include "quantmap/base/value.hpp"
#include "quantmap/model/model_parts.hpp"

namespace quantmap {

// How a layer mixes tokens: over the whole context, over a window, with a state of fixed size (linear attention,
// Mamba, convolution), or not at all.
enum class LayerKind : std::uint8_t { kFull, kSliding, kLinear, kAbsent };
[[nodiscard]] std::string_view name_of(LayerKind kind) noexcept;

struct Layer {
  LayerKind kind = LayerKind::kFull;
  std::int64_t heads = 0;
  std::int64_t kv_heads = 0;
  std::int64_t key_size = 0;      // per head
  std::int64_t value_size = 0;    // per head
  std::int64_t window = 0;        // tokens, for kSliding
  std::int64_t intermediate = 0;  // of the dense MLP; 0: none
  bool experts = false;           // the MLP is a mixture of experts
  bool shares_cache = false;      // reads the KV cache of an earlier layer and has none of its own
  std::int64_t compression = 1;   // tokens that share one entry of the cache, beside the window
  std::int64_t caches = 1;        // attention blocks in this layer, each with its own cache

  // Whether tokens look at others here: not in a layer with a state of fixed size, or with none of either.
  [[nodiscard]] bool attends() const noexcept { return kind == LayerKind::kFull || kind == LayerKind::kSliding; }
};

struct Mla {                 // multi-head latent attention: one compressed vector per token instead of keys and values
  std::int64_t kv_rank = 0;  // kv_lora_rank; 0: not MLA
  std::int64_t q_rank = 0;   // q_lora_rank; 0: queries are not compressed
  std::int64_t rope_size = 0;  // qk_rope_head_dim
  std::int64_t nope_size = 0;  // qk_nope_head_dim
  std::int64_t value_size = 0;
  std::int64_t index_size = 0;  // index_head_dim of sparse attention; 0: none
};

struct Experts {
  std::int64_t routed = 0;  // 0: a dense model
  std::int64_t shared = 0;
  std::int64_t per_token = 0;
  std::int64_t intermediate = 0;         // of one routed expert
  std::int64_t shared_intermediate = 0;  // of all shared experts together
};

// How long a context a config lets be, in tokens, by the ways in which engines read it; 0: it does not say.
struct ContextLengths {
  std::int64_t stated = 0;  // the smallest that it names, or `model_max_length` alone
  std::int64_t scaled = 0;  // times the factor of a rotary embedding that is stretched beyond it (linear, dynamic)
  std::int64_t first = 0;   // times the same, of the first that stands, `max_position_embeddings` coming last
  std::int64_t yarn = 0;    // where YaRN stretches it, the original length times the factor; else `scaled`

  [[nodiscard]] bool operator==(const ContextLengths&) const = default;
};

struct Architecture {
  std::string model_type;            // of the config's top
  std::string text_type;             // of the part that generates text; the same when there is only one
  std::vector<std::string> classes;  // `architectures`
  std::string text_at;               // "$" or "$.text_config": where the numbers stand
  std::int64_t hidden = 0;
  std::int64_t intermediate = 0;
  std::int64_t vocabulary = 0;
  std::int64_t heads = 0;
  std::int64_t kv_heads = 0;
  std::int64_t head_size = 0;
  std::int64_t max_length = 0;
  ContextLengths lengths;
  std::int64_t window = 0;  // sliding window, in tokens; 0: none is used
  Mla mla;
  Experts experts;
  std::vector<Layer> layers;
  ModelParts parts;
  std::optional<bool> tied_embeddings;  // nothing: the config does not say
  std::string dtype;                    // "bfloat16"; empty: the config does not say
  TraitMask traits = 0;                 // bit i: it has Catalog::traits[i]

  [[nodiscard]] bool is_mla() const noexcept { return mla.kv_rank > 0; }
  [[nodiscard]] bool is_moe() const noexcept { return experts.routed > 1; }
  [[nodiscard]] std::int64_t count(LayerKind kind) const noexcept;
};

// The part of a config that describes the text model: a sub-config such as `text_config`, or the config itself.
// `at` is added to the path: "" or ".text_config".
[[nodiscard]] const Value& text_config(const Value& config, std::string& at);

// Nothing when the config gives no number of layers. What is there and cannot be used is reported as a warning and
// counts as not given.
[[nodiscard]] std::optional<Architecture> read_architecture(const Value& config, const Path& path,
                                                            Diagnostics& warnings);

}  // namespace quantmap
