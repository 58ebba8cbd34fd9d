#include "quantmap/model/model_parts.hpp"

#include <algorithm>

#include "model/config_reader.hpp"

namespace quantmap {

namespace {

// Whose MLP has a gate, whatever its activation is called: gate_proj of transformers modeling_gemma4.py,
// Gemma4VisionMLP.
constexpr std::string_view kGatedVision = "gemma4_vision";

double product(std::int64_t a, std::int64_t b) { return static_cast<double>(a) * static_cast<double>(b); }

// Gated delta rule (Qwen3-Next and later): https://arxiv.org/abs/2412.06464. Queries and keys have key heads, values
// and the gate value heads; two numbers for each value head; a convolution over queries, keys and values.
RecurrentShape gated_delta(const ConfigReader& text) {
  RecurrentShape out;
  const std::int64_t key_heads = text.number({"linear_num_key_heads"});
  const std::int64_t value_heads = text.number({"linear_num_value_heads"});
  const std::int64_t key_size = text.number({"linear_key_head_dim"});
  const std::int64_t value_size = text.number({"linear_value_head_dim"});
  if (key_heads <= 0 || value_heads <= 0) return out;
  const double keys = product(key_heads, key_size);
  const double values = product(value_heads, value_size);
  const std::int64_t kernel = text.number({"linear_conv_kernel_dim"}, 4);
  out.in = 2 * keys + 2 * values + 2 * static_cast<double>(value_heads);
  out.out = values;
  out.heads = value_heads;
  out.convolved = 2 * keys + values;
  out.window = std::max<std::int64_t>(kernel - 1, 0);
  out.extra = out.convolved * static_cast<double>(kernel);
  out.state = values * static_cast<double>(key_size);
  return out;
}

// Kimi Delta Attention: heads of one size, a low-rank gate; the convolution runs over queries, keys and values.
RecurrentShape kimi_delta(const ConfigReader& text, std::int64_t hidden) {
  RecurrentShape out;
  const std::int64_t heads = text.number({"linear_attn_config.num_heads"});
  const std::int64_t size = text.number({"linear_attn_config.head_dim"});
  if (heads <= 0 || size <= 0) return out;
  const double all = product(heads, size);
  const std::int64_t kernel = text.number({"linear_attn_config.short_conv_kernel_size"}, 4);
  out.in = 3 * all + static_cast<double>(heads) + 2 * static_cast<double>(size);
  out.out = all;
  out.heads = heads;
  out.convolved = 3 * all;
  out.window = std::max<std::int64_t>(kernel - 1, 0);
  out.extra = out.convolved * static_cast<double>(kernel) + 2 * static_cast<double>(size) * all;
  out.state = all * static_cast<double>(size);
  return hidden > 0 ? out : RecurrentShape{};
}

// Mamba 2 (https://arxiv.org/abs/2405.21060) has heads and groups, Mamba 1 only an inner width.
RecurrentShape mamba(const ConfigReader& text, std::int64_t hidden) {
  RecurrentShape out;
  const std::int64_t size = text.number({"ssm_state_size", "mamba_d_state", "state_size"});
  if (size <= 0) return out;
  const std::int64_t heads = text.number({"mamba_num_heads", "mamba_n_heads"});
  const std::int64_t head = text.number({"mamba_head_dim", "mamba_d_head"});
  const std::int64_t groups = text.number({"n_groups", "mamba_n_groups"}, 1);
  const std::int64_t kernel = text.number({"conv_kernel", "mamba_d_conv"}, 4);
  const std::int64_t expand = text.number({"expand", "mamba_expand"}, 2);
  const double inner = heads > 0 && head > 0 ? product(heads, head) : product(hidden, expand);
  const double mixed = heads > 0 ? 2 * product(groups, size) : 0;
  out.convolved = inner + mixed;
  out.in = 2 * inner + mixed + static_cast<double>(heads);
  out.whole = true;
  out.out = inner;
  out.window = std::max<std::int64_t>(kernel - 1, 0);
  out.extra = out.convolved * static_cast<double>(kernel);
  if (heads <= 0) {
    const std::int64_t rank = text.number({"mamba_dt_rank", "time_step_rank"}, (hidden + 15) / 16);
    out.extra += inner * static_cast<double>(2 * rank + 3 * size);
  }
  out.state = inner * static_cast<double>(size);
  return out;
}

// Lightning attention (MiniMax-01) and the short convolutions of LFM2.
RecurrentShape others(const ConfigReader& text, std::int64_t hidden) {
  RecurrentShape out;
  if (text.has({"attn_type_list"})) {
    const std::int64_t heads = text.number({"num_attention_heads"});
    const std::int64_t size = text.number({"head_dim"});
    out.in = 4 * product(heads, size);
    out.out = product(heads, size);
    out.state = product(heads, size) * static_cast<double>(size);
    out.wide = true;
  } else if (text.has({"conv_L_cache"})) {
    const std::int64_t width = text.number({"conv_dim"}, hidden);
    out.in = 3 * static_cast<double>(width);
    out.out = out.convolved = static_cast<double>(width);
    out.window = std::max<std::int64_t>(text.number({"conv_L_cache"}) - 1, 0);
  }
  return out;
}

RecurrentShape read_recurrent(const ConfigReader& text, std::int64_t hidden) {
  RecurrentShape out = gated_delta(text);
  if (!out.known()) out = kimi_delta(text, hidden);
  if (!out.known()) out = mamba(text, hidden);
  if (!out.known()) out = others(text, hidden);
  if (text.text_if({"mamba_ssm_dtype", "mamba_ssm_cache_dtype"}).ends_with("32")) out.wide = true;
  return out;
}

VisionShape read_vision(const ConfigReader& top, std::int64_t text_hidden) {
  VisionShape out;
  const Value* object = top.find({"vision_config", "vit_config", "vision_tower_config"});
  if (object == nullptr || !object->is_object()) return out;
  const ConfigReader vision = top.inside(*object);
  const std::int64_t layers = vision.number({"depth", "num_hidden_layers", "layers", "num_layers"});
  // Qwen2-VL and later name the output width `hidden_size` and their own `embed_dim`.
  const std::int64_t hidden = vision.number({"embed_dim", "vt_hidden_size", "hidden_size", "width"});
  if (layers <= 0 || hidden <= 0) return out;
  std::int64_t width = vision.number({"intermediate_size", "vt_intermediate_size"});
  if (width <= 0) {
    const double ratio = vision.real({"mlp_ratio"}).value_or(4.0);
    width = ratio > 0 && ratio < 64 ? static_cast<std::int64_t>(static_cast<double>(hidden) * ratio) : 4 * hidden;
  }
  const std::string act = vision.text_if({"hidden_act", "hidden_activation"});
  const bool gated = act == "silu" || act == "swiglu" || vision.text_if({"model_type"}) == kGatedVision;
  const double matrices = gated ? 3 : 2;
  out.hidden = static_cast<double>(hidden);
  out.declared_layers = static_cast<double>(vision.number({"num_hidden_layers"}));
  out.declared_width = static_cast<double>(vision.number({"hidden_size"}));
  out.intermediate = static_cast<double>(width);
  out.parameters = static_cast<double>(layers) * (4 * product(hidden, hidden) + matrices * product(hidden, width));
  const std::int64_t patch = std::max<std::int64_t>(vision.number({"patch_size", "spatial_patch_size"}, 14), 1);
  out.parameters += 3 * product(patch, patch) * static_cast<double>(hidden);
  // What brings patches to the text model: neighbours side by side, one layer of that width and one to the text's.
  const std::int64_t merge = std::max<std::int64_t>(vision.number({"spatial_merge_size"}, 1), 1);
  const double merged = product(hidden, merge * merge);
  out.parameters += (merge > 1 ? merged * merged : 0) + merged * static_cast<double>(text_hidden);
  out.parameters += 2 * product(vision.number({"position_embedding_size"}), hidden);  // one for each direction
  const std::int64_t side = vision.number({"image_size"});
  const std::int64_t across = side > 0 ? side / patch : 0;
  out.patches = across > 0 ? product(across, across) : merge > 1 ? 16384.0 * static_cast<double>(merge * merge) : 0;
  out.tokens = out.patches / static_cast<double>(merge * merge);
  return out;
}

}  // namespace

ModelParts read_model_parts(const Value& config, const Value& text, std::int64_t layers, std::int64_t hidden,
                            const Path& path, Diagnostics& warnings) {
  const ConfigReader top(config, path, warnings);
  const ConfigReader reader(text, path, warnings);
  ModelParts out;
  out.recurrent = read_recurrent(reader, hidden);
  out.vision = read_vision(top, hidden);
  out.draft_layers = reader.number({"num_nextn_predict_layers", "mtp_num_hidden_layers", "num_mtp_modules"});
  out.layer_embeddings =
      product(reader.number({"vocab_size_per_layer_input"}), reader.number({"hidden_size_per_layer_input"})) *
      static_cast<double>(layers);
  out.expert_type = reader.text_if({"expert_dtype"});
  return out;
}

}  // namespace quantmap
