#include "quantmap/model/architecture.hpp"
#include "quantmap/catalog/codes.hpp"

#include <algorithm>

#include "model/architecture_layers.hpp"
#include "model/config_reader.hpp"
#include "model/context_lengths.hpp"
#include "quantmap/base/text.hpp"
#include "quantmap/catalog/catalog.hpp"

namespace quantmap {

namespace {

// Sub-configs that hold the text model of a model of several kinds of input.
constexpr std::string_view kTextParts[] = {"text_config", "llm_config",        "language_config",
                                           "text_cfg",    "language_model",    "thinker_config",
                                           "decoder",     "text_model_config", "language_model_config"};

std::int64_t layer_count(const ConfigReader& config) {
  const std::int64_t count = config.number({"num_hidden_layers", "n_layer", "num_layers", "n_layers", "decoder_layers",
                                            "num_layer", "num_decoder_layers", "num_transformer_layers"});
  if (count > 0) return count;
  // Some configs say it only by listing the layers.
  if (const auto pattern = config.text_if({"hybrid_override_pattern"}).size(); pattern > 0) {
    return static_cast<std::int64_t>(pattern);
  }
  return static_cast<std::int64_t>(config.words({"layers_block_type"}).size());
}

bool names_layers(const Value& config) {
  Diagnostics unused;
  const Path path("$");
  return layer_count(ConfigReader(config, path, unused)) > 0;
}

std::int64_t kv_heads(const ConfigReader& config, std::int64_t heads) {
  // ChatGLM and Falcon say first whether heads share keys at all.
  if (config.flag({"multi_query_attention"}).value_or(false)) {
    return std::max<std::int64_t>(config.number({"multi_query_group_num"}, 1), 1);
  }
  if (config.flag({"multi_query"}).value_or(false) && !config.flag({"new_decoder_architecture"}).value_or(false)) {
    return 1;
  }
  const std::int64_t given =
      config.number({"num_key_value_heads", "num_kv_heads", "n_kv_heads", "n_head_kv", "attn_config.kv_n_heads",
                     "num_attention_groups", "num_query_groups", "decoder_num_key_value_heads"});
  return given > 0 ? given : heads;
}

Mla read_mla(const ConfigReader& config) {
  Mla mla;
  mla.kv_rank = config.number({"kv_lora_rank"});
  if (mla.kv_rank == 0) return {};
  mla.q_rank = config.number({"q_lora_rank"});
  mla.rope_size = config.number({"qk_rope_head_dim"});
  mla.nope_size = config.number({"qk_nope_head_dim"});
  mla.value_size = config.number({"v_head_dim"});
  mla.index_size = config.number({"index_head_dim"});
  return mla;
}

Experts read_experts(const ConfigReader& config, std::int64_t intermediate) {
  Experts out;
  out.routed = config.number({"n_routed_experts", "num_local_experts", "num_experts", "num_routed_experts",
                              "moe_num_experts", "ffn_config.moe_num_experts", "n_experts", "num_moe_experts"});
  if (out.routed <= 1) return {};
  out.per_token = config.number({"num_experts_per_tok", "num_experts_per_token", "experts_per_token", "moe_topk",
                                 "moe_top_k", "moe_k", "top_k_experts", "ffn_config.moe_top_k", "moe_router_topk",
                                 "num_selected_experts", "top_k"});
  out.intermediate = config.number({"moe_intermediate_size", "expert_ffn_hidden_size", "expert_intermediate_size",
                                    "moe_ffn_hidden_size", "ffn_config.ffn_hidden_size"},
                                   intermediate);
  out.shared = config.number({"n_shared_experts", "num_shared_experts", "moe_num_shared_experts", "num_shared_expert"});
  out.shared_intermediate = config.number({"shared_expert_intermediate_size", "moe_shared_expert_intermediate_size",
                                           "shared_intermediate_size", "share_expert_dim"});
  if (out.shared == 0 && out.shared_intermediate > 0) out.shared = 1;
  if (out.shared > 0 && out.shared_intermediate == 0) {
    out.shared_intermediate = std::min(out.shared * out.intermediate, kLargestNumber);
  }
  return out;
}

std::int64_t head_size(const ConfigReader& config, const Architecture& model) {
  const std::int64_t given =
      config.number({"head_dim", "kv_channels", "attention_head_dim", "head_size", "d_kv", "attention_head_size"});
  if (given > 0) return given;
  return model.heads > 0 ? model.hidden / model.heads : 0;
}

std::int64_t number_of(const Architecture& model, TraitNumber number) {
  switch (number) {
    case TraitNumber::kNone:
    case TraitNumber::kSectionInConfig:  // matters of the checkpoint, not of the shape
    case TraitNumber::kOrderedGroups:
    case TraitNumber::kFileInRepository:
    case TraitNumber::kAsymmetricGroups: return 0;
    case TraitNumber::kExperts: return model.experts.routed;
    case TraitNumber::kWindowLayers: return model.count(LayerKind::kSliding);
    case TraitNumber::kStateLayers: return model.count(LayerKind::kLinear);
    case TraitNumber::kLayers: return static_cast<std::int64_t>(model.layers.size());
    case TraitNumber::kLargestHead: break;
  }
  std::int64_t largest = 0;
  for (const Layer& layer : model.layers) {
    if (layer.attends()) {
      largest = std::max(largest, layer.key_size);
    }
  }
  return largest;
}

// Whether a key says something: not null, false or a word ("vision" is for a part of the tokens only).
bool says(const Value& config, std::string_view key) {
  const Value* value = config.find(key);
  if (value == nullptr || value->is_null() || value->kind() == Value::Kind::kText) return false;
  return value->kind() != Value::Kind::kBoolean || value->as_boolean();
}

TraitMask traits_of(const Value& top, const Value& text, const Architecture& model) {
  TraitMask out = 0;
  const auto& traits = catalog().traits;
  for (std::size_t i = 0; i < traits.size(); ++i) {
    const Trait& trait = traits[i];
    const bool by_type = std::any_of(trait.model_types.begin(), trait.model_types.end(), [&](std::string_view type) {
      return type == model.model_type || type == model.text_type;
    });
    const bool by_key = std::any_of(trait.keys.begin(), trait.keys.end(),
                                    [&](std::string_view key) { return says(top, key) || says(text, key); });
    const std::int64_t number = number_of(model, trait.number);
    const bool small = trait.most == 0 || number <= trait.most;
    const bool by_number = trait.number != TraitNumber::kNone && number >= trait.least && small;
    if (by_type || by_key || by_number) out |= trait_bit(i);
  }
  return out;
}

}  // namespace

std::string_view name_of(LayerKind kind) noexcept {
  constexpr std::string_view names[] = {"full", "sliding", "linear", "absent"};
  return names[static_cast<std::size_t>(kind)];
}

std::int64_t Architecture::count(LayerKind kind) const noexcept {
  return std::count_if(layers.begin(), layers.end(), [kind](const Layer& layer) { return layer.kind == kind; });
}

const Value& text_config(const Value& config, std::string& at) {
  for (const std::string_view part : kTextParts) {
    const Value* inner = config.find(part);
    if (inner == nullptr || !inner->is_object()) continue;
    std::string deeper;
    const Value& found = text_config(*inner, deeper);
    if (!names_layers(found)) continue;
    at = key_step(part) + deeper;
    return found;
  }
  at.clear();
  return config;
}

std::optional<Architecture> read_architecture(const Value& config, const Path& path, Diagnostics& warnings) {
  Architecture out;
  const Value& text = text_config(config, out.text_at);
  const std::string text_path = path.str() + out.text_at;
  const Path at(text_path);
  const ConfigReader top(config, path, warnings);
  const ConfigReader reader(text, at, warnings);
  const std::int64_t layers = layer_count(reader);
  if (layers <= 0) return std::nullopt;
  if (layers > static_cast<std::int64_t>(kMostLayers)) {
    warnings.add(Code::kUnusableInCheckpoint, text_path,
                 {{"key", "the number of layers"}, {"got", std::to_string(layers)}});
    return std::nullopt;
  }
  out.model_type = top.text({"model_type"});
  out.text_type = reader.text({"model_type"});
  if (out.text_type.empty()) out.text_type = out.model_type;
  out.classes = architecture_classes(config);
  out.hidden = reader.number({"hidden_size", "n_embd", "d_model", "model_dim", "dim"});
  out.intermediate =
      reader.number({"dense_intermediate_size", "intermediate_size", "ffn_hidden_size", "ffn_dim", "n_inner", "d_ff",
                     "inner_hidden_size", "decoder_ffn_dim", "ffn_config.ffn_hidden_size"});
  out.vocabulary = reader.number({"vocab_size", "padded_vocab_size", "n_vocab"}, top.number({"vocab_size"}));
  out.heads = reader.number(
      {"num_attention_heads", "n_head", "n_heads", "num_heads", "num_query_heads", "decoder_attention_heads"});
  out.kv_heads = kv_heads(reader, out.heads);
  out.mla = read_mla(reader);
  out.head_size = out.is_mla() ? out.mla.nope_size + out.mla.rope_size : head_size(reader, out);
  out.experts = read_experts(reader, out.intermediate);
  out.max_length = reader.number({"max_position_embeddings", "n_positions", "max_sequence_length", "max_seq_len",
                                  "seq_length", "max_target_positions", "model_max_length"});
  out.lengths = read_context_lengths(reader);
  out.tied_embeddings = reader.flag({"tie_word_embeddings"});
  if (!out.tied_embeddings) out.tied_embeddings = top.flag({"tie_word_embeddings"});
  out.dtype = reader.text({"dtype", "torch_dtype"});
  if (out.dtype.empty()) out.dtype = top.text({"dtype", "torch_dtype"});
  if (out.dtype.starts_with("torch.")) out.dtype.erase(0, 6);
  read_layers(reader, layers, out);
  out.parts = read_model_parts(config, text, layers, out.hidden, at, warnings);
  out.traits = traits_of(config, text, out);
  return out;
}

}  // namespace quantmap
