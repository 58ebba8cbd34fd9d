#include "quantmap/model/architecture.hpp"
#include "support.hpp"

using namespace quantmap;
using namespace quantmap::testing;

namespace {

Architecture architecture(std::string_view text) {
  Diagnostics notes;
  const auto out = read_architecture(json(text), Path("checkpoint"), notes);
  REQUIRE_MESSAGE(out.has_value(), std::string(text));
  CHECK(warnings(notes) == Texts{});
  return *out;
}

// One letter per layer: f(ull), s(liding), l(inear), a(bsent); upper case where the MLP has experts.
std::string pattern(const Architecture& model) {
  std::string out;
  for (const Layer& layer : model.layers) {
    const char letter = name_of(layer.kind)[0];
    out += layer.experts ? static_cast<char>(letter - 'a' + 'A') : letter;
  }
  return out;
}

}  // namespace

TEST_CASE("a dense model: sizes, with the head size worked out") {
  const Architecture model = architecture(R"({"model_type": "llama", "architectures": ["LlamaForCausalLM"],
    "num_hidden_layers": 3, "hidden_size": 64, "num_attention_heads": 8, "num_key_value_heads": 2, "vocab_size": 100,
    "intermediate_size": 96, "max_position_embeddings": 4096, "tie_word_embeddings": false, "torch_dtype": "bfloat16"})");
  CHECK(pattern(model) == "fff");
  CHECK(model.head_size == 8);
  CHECK(model.layers[0].kv_heads == 2);
  CHECK(model.layers[0].intermediate == 96);
  CHECK(model.vocabulary == 100);
  CHECK(model.max_length == 4096);
  CHECK(model.tied_embeddings == false);
  CHECK(model.dtype == "bfloat16");
  CHECK_FALSE(model.is_moe());
  CHECK_FALSE(model.is_mla());
}

TEST_CASE("MLA and experts after the first layers") {
  const Architecture model = architecture(R"({"model_type": "deepseek_v3", "num_hidden_layers": 4, "hidden_size": 64,
    "num_attention_heads": 4, "num_key_value_heads": 4, "kv_lora_rank": 32, "q_lora_rank": 48, "qk_rope_head_dim": 8,
    "qk_nope_head_dim": 16, "v_head_dim": 16, "n_routed_experts": 8, "n_shared_experts": 2, "num_experts_per_tok": 2,
    "moe_intermediate_size": 24, "first_k_dense_replace": 1, "moe_layer_freq": 1, "intermediate_size": 96})");
  CHECK(pattern(model) == "fFFF");
  CHECK(model.is_mla());
  CHECK(model.mla.kv_rank == 32);
  CHECK(model.head_size == 24);
  CHECK(model.experts.routed == 8);
  CHECK(model.experts.shared_intermediate == 48);
  CHECK(model.layers[0].intermediate == 96);
  CHECK(model.layers[1].intermediate == 0);
}

TEST_CASE("which layers slide") {
  CHECK(pattern(architecture(R"({"num_hidden_layers": 4, "sliding_window": 8})")) == "ssss");
  CHECK(pattern(architecture(R"({"num_hidden_layers": 4, "sliding_window": 8, "use_sliding_window": false})")) ==
        "ffff");
  CHECK(pattern(architecture(R"({"num_hidden_layers": 4, "sliding_window": 8, "use_sliding_window": true,
    "max_window_layers": 3})")) == "fffs");
  CHECK(pattern(architecture(R"({"num_hidden_layers": 4, "sliding_window": 8, "model_type": "gemma2"})")) == "sfsf");
  CHECK(pattern(architecture(R"({"num_hidden_layers": 6, "sliding_window": 8, "sliding_window_pattern": 3})")) ==
        "ssfssf");
  CHECK(pattern(architecture(R"({"num_hidden_layers": 5, "sliding_window": 8, "sliding_window_pattern": "LLG"})")) ==
        "ssfss");
  CHECK(pattern(architecture(R"({"num_hidden_layers": 2, "sliding_window": 8,
    "layer_types": ["sliding_attention", "full_attention"]})")) == "sf");
  CHECK(pattern(architecture(R"({"num_hidden_layers": 4, "attention_chunk_size": 8})")) == "sssf");
  CHECK(pattern(architecture(
            R"({"num_hidden_layers": 3, "sliding_window_size": 8, "hybrid_layer_pattern": [0, 1, 1]})")) == "fss");
  const Architecture model = architecture(R"({"num_hidden_layers": 2, "sliding_window": 8, "num_attention_heads": 4,
    "layer_types": ["sliding_attention", "full_attention"], "swa_num_key_value_heads": 2, "num_key_value_heads": 1})");
  CHECK(model.layers[0].kv_heads == 2);
  CHECK(model.layers[0].window == 8);
  CHECK(model.layers[1].kv_heads == 1);
  CHECK(model.layers[1].window == 0);
}

TEST_CASE("layers without a growing cache") {
  CHECK(pattern(architecture(R"({"num_hidden_layers": 8, "full_attention_interval": 4})")) == "lllflllf");
  CHECK(pattern(architecture(R"({"num_hidden_layers": 5, "hybrid_override_pattern": "M-M*E"})")) == "lalfA");
  CHECK(
      pattern(architecture(R"({"num_hidden_layers": 4, "attn_layer_period": 4, "attn_layer_offset": 2, "num_experts": 4,
    "expert_layer_period": 2, "expert_layer_offset": 1})")) == "lLfL");
  CHECK(pattern(architecture(R"({"num_hidden_layers": 4, "linear_attn_config": {"full_attn_layers": [4]}})")) ==
        "lllf");
  CHECK(pattern(architecture(R"({"num_hidden_layers": 3, "attn_type_list": [0, 0, 1]})")) == "llf");
  CHECK(pattern(architecture(R"({"num_hidden_layers": 2, "block_configs": [{"attention": {"no_op": true}},
    {"attention": {"n_heads_in_group": 4}}], "num_attention_heads": 8})")) == "af");
}

TEST_CASE("which layers have experts") {
  const auto moe = [](const std::string& more) {
    return pattern(architecture(R"({"num_hidden_layers": 4, "num_experts": 8, )" + more + "}"));
  };
  CHECK(moe(R"("decoder_sparse_step": 2, "mlp_only_layers": [3])") == "fFff");
  CHECK(moe(R"("moe_layer_freq": [0, 1, 1, 1])") == "fFFF");
  CHECK(moe(R"("moe_layers_enum": "2,3")") == "ffFF");
  CHECK(moe(R"("moe_layers": [1, 3])") == "fFfF");
  CHECK(moe(R"("interleave_moe_layer_step": 2)") == "fFfF");
  CHECK(moe(R"("moe_layer_start_index": 1, "moe_layer_interval": 1)") == "fFFF");
  CHECK(moe(R"("mlp_layer_types": ["dense", "sparse", "sparse", "sparse"])") == "fFFF");
}

TEST_CASE("the text part of a model of several inputs") {
  const Architecture model = architecture(R"({"model_type": "gemma3", "vision_config": {"num_hidden_layers": 27},
    "text_config": {"model_type": "gemma3_text", "num_hidden_layers": 6, "sliding_window": 8, "hidden_size": 32}})");
  CHECK(model.text_at == ".text_config");
  CHECK(model.text_type == "gemma3_text");
  CHECK(pattern(model) == "sssssf");
  CHECK(architecture(R"({"thinker_config": {"text_config": {"num_hidden_layers": 2}}})").text_at ==
        ".thinker_config.text_config");
}

TEST_CASE("what cannot be used is said, and counts as not given") {
  Diagnostics notes;
  const auto model = read_architecture(json(R"({"num_hidden_layers": 2, "hidden_size": "64", "head_dim": 1.5,
    "num_attention_heads": 99999999999999999999, "layer_types": [1], "sliding_window": -1})"),
                                       Path("checkpoint"), notes);
  REQUIRE(model.has_value());
  CHECK(model->hidden == 0);
  CHECK(model->heads == 0);
  CHECK(model->head_size == 0);
  CHECK(pattern(*model) == "ff");
  CHECK(warnings(notes) ==
        Texts{"unusable-in-checkpoint checkpoint.hidden_size", "unusable-in-checkpoint checkpoint.num_attention_heads",
              "unusable-in-checkpoint checkpoint.head_dim", "unusable-in-checkpoint checkpoint.layer_types"});
  Diagnostics huge;
  CHECK_FALSE(read_architecture(json(R"({"num_hidden_layers": 1000000})"), Path("checkpoint"), huge).has_value());
  CHECK(warnings(huge) == Texts{"unusable-in-checkpoint checkpoint"});
  CHECK_FALSE(read_architecture(json("{}"), Path("checkpoint"), huge).has_value());
}
