#include "model/architecture_layers.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "quantmap/base/text.hpp"

namespace quantmap {

namespace {

struct KindName {
  std::string_view name;
  LayerKind kind;
};

// Words of `layer_types` and its relatives.
constexpr KindName kKindNames[] = {{"full_attention", LayerKind::kFull},
                                   {"attention", LayerKind::kFull},
                                   {"full", LayerKind::kFull},
                                   {"global", LayerKind::kFull},
                                   {"global_attention", LayerKind::kFull},
                                   {"hybrid", LayerKind::kFull},
                                   {"sliding_attention", LayerKind::kSliding},
                                   {"sliding", LayerKind::kSliding},
                                   {"sliding_window", LayerKind::kSliding},
                                   {"local", LayerKind::kSliding},
                                   {"local_attention", LayerKind::kSliding},
                                   {"chunked_attention", LayerKind::kSliding},
                                   {"swa", LayerKind::kSliding},
                                   {"linear_attention", LayerKind::kLinear},
                                   {"linear", LayerKind::kLinear},
                                   {"mamba", LayerKind::kLinear},
                                   {"mamba2", LayerKind::kLinear},
                                   {"recurrent", LayerKind::kLinear},
                                   {"conv", LayerKind::kLinear},
                                   {"mlp", LayerKind::kAbsent},
                                   {"moe", LayerKind::kAbsent},
                                   {"ffn", LayerKind::kAbsent}};

// Families whose code, not whose config, says how often a layer sees the whole context.
struct Interval {
  std::string_view type;
  std::int64_t every;
};
constexpr Interval kFullEvery[] = {{"gemma2", 2}, {"gemma3", 6},      {"gemma3_text", 6},
                                   {"gemma4", 6}, {"gemma4_text", 6}, {"cohere2", 4}};

LayerKind kind_named(std::string_view word) {
  for (const KindName& item : kKindNames) {
    if (item.name == word) return item.kind;
  }
  // Kinds of sparse and compressed attention keep every token.
  const bool state = word.find("mamba") != word.npos || word.find("linear") != word.npos || word == "kda";
  return state ? LayerKind::kLinear : LayerKind::kFull;
}

// Works out one entry per layer; each step overrides the one before only where the config says something.
class LayerReader {
 public:
  LayerReader(const ConfigReader& config, Architecture& model) : config_(config), model_(model) {}

  void read(std::int64_t count) {
    Layer layer;
    layer.heads = model_.heads;
    layer.kv_heads = model_.kv_heads;
    layer.key_size = model_.head_size;
    layer.value_size = config_.number({"v_head_dim"}, model_.head_size);
    layer.intermediate = model_.intermediate;
    layer.caches = model_.text_type == "longcat_flash" ? 2 : 1;
    model_.layers.assign(static_cast<std::size_t>(count), layer);
    if (!blocks_of_one_kind()) {
      kinds();
      experts();
    }
    lists();
    sizes_by_kind();
    nas_blocks();
    shared_caches();
    model_.window = 0;
    for (Layer& item : model_.layers) {
      if (item.kind != LayerKind::kSliding && item.compression == 1) item.window = 0;
      model_.window = std::max(model_.window, item.window);
    }
  }

 private:
  using Index = std::size_t;

  // A pattern of letters, one block per layer: M a state-space block, * attention, - an MLP, E a mixture of experts.
  bool blocks_of_one_kind() {
    const std::string pattern = config_.text({"hybrid_override_pattern"});
    if (pattern.empty()) return false;
    for (Index i = 0; i < std::min(pattern.size(), model_.layers.size()); ++i) {
      Layer& layer = model_.layers[i];
      layer.kind = pattern[i] == '*' ? LayerKind::kFull : pattern[i] == 'M' ? LayerKind::kLinear : LayerKind::kAbsent;
      layer.experts = pattern[i] == 'E';
      if (pattern[i] != '-') layer.intermediate = 0;
    }
    return true;
  }

  void kinds() {
    const std::int64_t window = sliding_window();
    if (compressed(window)) return;
    if (kinds_by_list() || kinds_by_index()) {
      for (Layer& layer : model_.layers) layer.window = window;
      return;
    }
    const std::int64_t chunk = config_.number({"attention_chunk_size"});
    if (chunk > 0) return chunked(chunk);
    if (window == 0) return;
    const std::string pattern = lower(config_.text_if({"sliding_window_pattern", "_sliding_window_pattern"}));
    std::int64_t every = pattern.empty() ? config_.number({"sliding_window_pattern", "_sliding_window_pattern"}) : 0;
    if (every == 0 && pattern.empty()) every = usual_interval();
    const std::int64_t full_before = config_.number({"max_window_layers"}, 0);
    for (Index i = 0; i < model_.layers.size(); ++i) {
      bool full = every > 0 ? (i + 1) % static_cast<Index>(every) == 0 : static_cast<std::int64_t>(i) < full_before;
      if (!pattern.empty()) full = pattern[i % pattern.size()] == 'g';
      model_.layers[i].kind = full ? LayerKind::kFull : LayerKind::kSliding;
      model_.layers[i].window = window;
    }
  }

  std::int64_t sliding_window() const {
    if (!config_.flag({"use_sliding_window"}).value_or(true)) return 0;
    return config_.number({"sliding_window", "sliding_window_size", "attention_window_size"});
  }

  std::int64_t usual_interval() const {
    for (const Interval& item : kFullEvery) {
      if (item.type == model_.text_type) return item.every;
    }
    return 0;
  }

  bool kinds_by_list() {
    const std::vector<std::string> words =
        config_.words({"layer_types", "layers_block_type", "_block_types", "block_types"});
    // Where MLPs are layers of their own, the others have none.
    const bool apart = std::any_of(words.begin(), words.end(),
                                   [](const std::string& word) { return kind_named(word) == LayerKind::kAbsent; });
    for (Index i = 0; i < model_.layers.size() && !words.empty(); ++i) {
      Layer& layer = model_.layers[i];
      layer.kind = kind_named(words[i % words.size()]);
      if (apart && layer.kind != LayerKind::kAbsent) layer.intermediate = 0;
      without_experts_.push_back(apart && words[i % words.size()] != "moe");
    }
    if (!words.empty()) return true;
    // 0 and 1, with opposite meanings: 1 is sliding in the first, full attention in the second.
    const std::vector<std::int64_t> sliding = config_.numbers({"hybrid_layer_pattern"});
    const std::vector<std::int64_t> full = config_.numbers({"attn_type_list"});
    for (Index i = 0; i < model_.layers.size(); ++i) {
      if (i < sliding.size() && sliding[i] != 0) model_.layers[i].kind = LayerKind::kSliding;
      if (i < full.size() && full[i] == 0) model_.layers[i].kind = LayerKind::kLinear;
    }
    return !sliding.empty() || !full.empty();
  }

  // A state of fixed size in every layer, and nothing that attends: heads, if told, are those of the state.
  bool states_alone() {
    if (config_.number({"state_size"}) == 0 || config_.number({"num_attention_heads", "n_head"}) != 0) return false;
    for (Layer& layer : model_.layers) layer.kind = LayerKind::kLinear;
    return true;
  }

  // Attention in some layers, a state of fixed size in the others.
  bool kinds_by_index() {
    if (states_alone()) return true;
    std::vector<std::int64_t> full = config_.numbers({"attn_layer_indices", "full_attn_idxs"});
    const bool listed = !full.empty();
    if (const auto from_one = config_.numbers({"linear_attn_config.full_attn_layers"}); !from_one.empty()) {
      for (const std::int64_t layer : from_one) full.push_back(layer - 1);
    }
    const std::int64_t period = config_.number({"attn_layer_period"});
    const std::int64_t offset = config_.number({"attn_layer_offset"});
    const std::int64_t every = config_.number({"full_attention_interval"});
    if (!listed && full.empty() && period == 0 && every == 0) return false;
    for (Index i = 0; i < model_.layers.size(); ++i) {
      const auto index = static_cast<std::int64_t>(i);
      bool attends = std::find(full.begin(), full.end(), index) != full.end();
      if (full.empty()) attends = period > 0 ? index % period == offset : (index + 1) % every == 0;
      if (!attends) model_.layers[i].kind = LayerKind::kLinear;
    }
    return true;
  }

  // A window of single tokens, and behind it entries for several tokens each; ratio 0: the window alone.
  bool compressed(std::int64_t window) {
    const std::vector<std::int64_t> ratios = config_.list_if({"compress_ratios"});
    for (Index i = 0; i < std::min(ratios.size(), model_.layers.size()); ++i) {
      Layer& layer = model_.layers[i];
      layer.kind = ratios[i] > 0 ? LayerKind::kFull : LayerKind::kSliding;
      layer.compression = std::max<std::int64_t>(ratios[i], 1);
      layer.window = window;
    }
    return !ratios.empty();
  }

  void chunked(std::int64_t chunk) {
    const std::vector<std::int64_t> rope = config_.numbers({"no_rope_layers"});
    const auto every = static_cast<Index>(std::max<std::int64_t>(config_.number({"no_rope_layer_interval"}, 4), 1));
    for (Index i = 0; i < model_.layers.size(); ++i) {
      const bool local = rope.size() == model_.layers.size() ? rope[i] != 0 : (i + 1) % every != 0;
      if (local) model_.layers[i].kind = LayerKind::kSliding;
      model_.layers[i].window = chunk;
    }
  }

  void experts() {
    if (!model_.is_moe()) return;
    const std::vector<std::int64_t> at = layers_with_experts();
    const std::vector<std::int64_t> dense = config_.numbers({"mlp_only_layers"});
    const std::vector<std::int64_t> flags = config_.list_if({"moe_layer_freq", "moe_layer_pattern"});
    const std::vector<std::string> words = config_.words({"mlp_layer_types"});
    const std::int64_t first = config_.number({"first_k_dense_replace", "num_dense_layers", "moe_layer_start_index"});
    const std::int64_t end = config_.number({"moe_layer_end_index"}, static_cast<std::int64_t>(model_.layers.size()));
    for (Index i = 0; i < model_.layers.size(); ++i) {
      const auto index = static_cast<std::int64_t>(i);
      bool has = index >= first && index <= end && has_by_period(index);
      if (!at.empty()) has = std::find(at.begin(), at.end(), index) != at.end();
      if (i < flags.size()) has = flags[i] != 0;
      if (i < words.size()) has = words[i] != "dense";
      if (std::find(dense.begin(), dense.end(), index) != dense.end()) has = false;
      if (i < without_experts_.size() && without_experts_[i]) has = false;
      model_.layers[i].experts = has;
      // Some models run a dense MLP beside the experts.
      if (has && !config_.flag({"enable_moe_block"}).value_or(false)) model_.layers[i].intermediate = 0;
    }
  }

  bool has_by_period(std::int64_t index) const {
    if (const auto period = config_.number({"expert_layer_period"}); period > 0) {
      return index % period == config_.number({"expert_layer_offset"});
    }
    const std::int64_t every =
        config_.number_if({"decoder_sparse_step", "interleave_moe_layer_step", "moe_layer_interval", "moe_layer_freq"});
    return every <= 1 || (index + 1) % every == 0;
  }

  // "4,5,6" or [4, 5, 6]
  std::vector<std::int64_t> layers_with_experts() const {
    std::string text = config_.text_if({"moe_layers_enum"});
    if (text.empty()) return config_.numbers({"moe_layers"});
    std::vector<std::int64_t> out;
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at < end && out.size() < kMostLayers) {
      std::int64_t number = 0;
      const auto [next, error] = std::from_chars(at, end, number);
      if (error == std::errc()) out.push_back(number);
      at = error == std::errc() && next < end ? next + 1 : at + 1;
      if (error == std::errc() && next >= end) break;
    }
    return out;
  }

  // Numbers that a config gives layer by layer.
  void lists() {
    const auto heads = config_.list_if({"num_attention_heads", "num_query_heads"});
    const auto kv = config_.list_if({"num_key_value_heads", "num_kv_heads", "num_attention_groups"});
    const auto dense = config_.list_if({"intermediate_size"});
    for (Index i = 0; i < model_.layers.size(); ++i) {
      Layer& layer = model_.layers[i];
      if (i < heads.size()) layer.heads = heads[i];
      if (i < kv.size()) layer.kv_heads = kv[i];
      if (i < dense.size() && !layer.experts) layer.intermediate = dense[i];
    }
  }

  // Sizes that only the sliding layers have, or only those with the whole context.
  void sizes_by_kind() {
    for (Layer& layer : model_.layers) {
      if (layer.kind == LayerKind::kSliding) {
        layer.heads =
            config_.number({"swa_num_attention_heads", "attention_other_setting.num_attention_heads"}, layer.heads);
        layer.kv_heads =
            config_.number({"swa_num_key_value_heads", "attention_other_setting.num_attention_groups"}, layer.kv_heads);
        layer.key_size = config_.number({"swa_head_dim", "attention_other_setting.head_dim"}, layer.key_size);
        layer.value_size = config_.number({"swa_v_head_dim", "attention_other_setting.head_dim"}, layer.value_size);
      } else if (layer.kind == LayerKind::kFull) {
        const std::int64_t size = config_.number({"global_head_dim"});
        if (size > 0) layer.key_size = layer.value_size = size;
        layer.kv_heads = config_.number({"num_global_key_value_heads"}, layer.kv_heads);
      } else {
        layer.heads = layer.kv_heads = 0;
      }
    }
  }

  // Layers found by architecture search: each may lack attention or MLP, or have its own sizes.
  void nas_blocks() {
    const Value* blocks = config_.find({"block_configs"});
    if (blocks == nullptr || !blocks->is_array()) return;
    for (Index i = 0; i < std::min(blocks->items().size(), model_.layers.size()); ++i) {
      Layer& layer = model_.layers[i];
      const ConfigReader block = config_.inside(blocks->items()[i]);
      const bool no_attention = block.flag({"attention.no_op"}).value_or(false) ||
                                block.flag({"attention.replace_with_linear"}).value_or(false);
      const std::int64_t group = block.number({"attention.n_heads_in_group"});
      if (group > 0) layer.kv_heads = layer.heads / group;
      layer.kv_heads = block.number({"attention.num_key_value_heads"}, layer.kv_heads);
      if (no_attention) {
        layer.kind = LayerKind::kAbsent;
        layer.heads = layer.kv_heads = 0;
      }
      layer.intermediate = block.number({"ffn.intermediate_size"}, layer.intermediate);
      if (const auto multiple = block.real({"ffn.ffn_mult"})) layer.intermediate = scaled(*multiple);
      if (block.flag({"ffn.no_op"}).value_or(false)) layer.intermediate = 0;
    }
  }

  // Two thirds of the hidden size, twice, times a factor, up to a multiple of 256: how these models size their MLP.
  std::int64_t scaled(double multiple) const {
    const double size = 2.0 * multiple * static_cast<double>(model_.hidden) / 3.0;
    if (!(size >= 0 && size < 1e12)) return 0;
    return (static_cast<std::int64_t>(size) + 255) / 256 * 256;
  }

  void shared_caches() {
    const auto shared = static_cast<Index>(config_.number({"num_kv_shared_layers"}));
    const Index count = model_.layers.size();
    for (Index i = count - std::min(shared, count); i < count; ++i) model_.layers[i].shares_cache = true;
  }

  const ConfigReader& config_;
  Architecture& model_;
  std::vector<bool> without_experts_;
};

}  // namespace

std::vector<std::string> architecture_classes(const Value& config) {
  std::vector<std::string> out;
  const Value* classes = config.find("architectures");
  if (classes == nullptr || !classes->is_array()) return out;
  for (const Value& item : classes->items()) {
    if (item.is_text() && out.size() < 16) out.emplace_back(head(item.as_text(), 200));
  }
  return out;
}

void read_layers(const ConfigReader& config, std::int64_t count, Architecture& model) {
  LayerReader(config, model).read(count);
}

}  // namespace quantmap
