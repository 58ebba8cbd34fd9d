#include "model/mistral_params.hpp"

#include <span>

#include "quantmap/base/text.hpp"
#include "quantmap/catalog/catalog.hpp"

namespace quantmap {

namespace {

// The key of params.json → that of config.json.
constexpr Pair kKeys[] = {{"dim", "hidden_size"},
                          {"n_layers", "num_hidden_layers"},
                          {"n_heads", "num_attention_heads"},
                          {"n_kv_heads", "num_key_value_heads"},
                          {"head_dim", "head_dim"},
                          {"hidden_dim", "intermediate_size"},
                          {"vocab_size", "vocab_size"},
                          {"dtype", "torch_dtype"},
                          {"max_position_embeddings", "max_position_embeddings"},
                          {"sliding_window", "sliding_window"},
                          {"q_lora_rank", "q_lora_rank"},
                          {"kv_lora_rank", "kv_lora_rank"},
                          {"qk_nope_head_dim", "qk_nope_head_dim"},
                          {"qk_rope_head_dim", "qk_rope_head_dim"},
                          {"v_head_dim", "v_head_dim"}};
constexpr Pair kExpertKeys[] = {{"num_experts", "num_local_experts"},
                                {"num_experts_per_tok", "num_experts_per_tok"},
                                {"expert_hidden_dim", "moe_intermediate_size"},
                                {"num_shared_experts", "n_shared_experts"},
                                {"first_k_dense_replace", "first_k_dense_replace"}};

void take_keys(const Value& from, std::span<const Pair> keys, Value& out) {
  for (const auto& [key, name] : keys) {
    if (const Value* value = from.find(key); value != nullptr) out.set(std::string(name), *value);
  }
}

// FP8 in words of its own: the format of the weights stands for who made them, and whether activations have scales.
// Any other section is as in a config.json.
Value quantization_of(const Value& section) {
  const Value* weights = section.find("qformat_weight");
  if (weights == nullptr || !weights->is_text()) return section;
  const Value* scheme = section.find("qscheme_act");
  const bool dynamic = scheme != nullptr && scheme->is_text() && scheme->as_text() == "NO_SCALES";
  Value format = Value::object();
  format.set("name", *weights);
  Value out = Value::object();
  out.set("producer", std::move(format));
  out.set("activation_scheme", Value::text(dynamic ? "dynamic" : "static"));
  return out;
}

std::string_view class_of(const Value& params, bool experts, bool latent) {
  if (latent) return "MistralLarge3ForCausalLM";
  const auto is_object = [&params](std::string_view key) {
    const Value* value = params.find(key);
    return value != nullptr && value->is_object();
  };
  if (is_object("vision_encoder") || is_object("multimodal")) return "PixtralForConditionalGeneration";
  return experts ? "MixtralForCausalLM" : "MistralForCausalLM";
}

}  // namespace

std::optional<Value> config_of_params(const Value& params) {
  if (params.find("dim") == nullptr || params.find("n_layers") == nullptr || params.find("model_type") != nullptr) {
    return std::nullopt;
  }
  const Value* experts = params.find("moe");
  const bool has_experts = experts != nullptr && experts->is_object();
  const bool latent = params.find("kv_lora_rank") != nullptr;
  Value out = Value::object();
  Value classes = Value::array();
  classes.append(Value::text(std::string(class_of(params, has_experts, latent))));
  out.set("architectures", std::move(classes));
  out.set("model_type", Value::text(latent ? "deepseek_v3" : has_experts ? "mixtral" : "mistral"));
  take_keys(params, kKeys, out);
  if (has_experts) take_keys(*experts, kExpertKeys, out);
  if (const Value* vision = params.find("vision_encoder"); vision != nullptr) out.set("vision_config", *vision);
  const Value* section = params.find("quantization");
  if (section != nullptr && section->is_object()) out.set("quantization_config", quantization_of(*section));
  return out;
}

}  // namespace quantmap
