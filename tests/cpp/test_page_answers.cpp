// The page's door: questions and answers as JSON, also the ones that nobody should ask.
#include <doctest/doctest.h>

#include <string>

#include "answers.hpp"
#include "quantmap/base/json_io.hpp"

using quantmap::wasm::answer;

namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("the door lists what there is to choose") {
  const std::string found = answer(R"({"ask":"start"})");
  quantmap::Diagnostics problems;
  CHECK(quantmap::read_json(found, quantmap::Path("$"), problems).has_value());
  CHECK(found.starts_with(R"({"answer":)"));
  for (const char* part :
       {R"("engines":)", R"("presets":)", R"("fields":)", R"("gpus":)", R"("models":)", R"("hash":)"}) {
    CHECK(has(found, part));
  }
}

TEST_CASE("the door maps, checks and estimates") {
  const std::string mapped = answer(
      R"({"ask":"explain","runtime":"vllm","engine_version":"0.11.0","quant_config":{"kvcache_dtype":"fp8"},"model":"a b"})");
  CHECK(has(mapped, R"("--kv-cache-dtype":"fp8")"));
  CHECK(has(mapped, "vllm serve 'a b' --dtype auto"));
  const std::string checked =
      answer(R"({"ask":"check","command":"vllm serve m --kv-cache-dtype fp16","engine_version":"0.11.0"})");
  CHECK(has(checked, R"("verdict":"value-not-accepted")"));
  const std::string script =
      answer(R"({"ask":"check","command":"K=fp8\nvllm serve m\nvllm serve n --kv-cache-dtype $K"})");
  CHECK(has(script, R"("line":2)"));
  CHECK(has(script, R"("value":"fp8")"));
  const std::string shape =
      R"({"model_type":"llama","num_hidden_layers":2,"hidden_size":64,"intermediate_size":128,"num_attention_heads":4,)"
      R"("num_key_value_heads":4,"vocab_size":100,"max_position_embeddings":128})";
  const std::string fit = answer(R"({"ask":"fit","runtime":"vllm","gpu":"H100","checkpoint":)" + shape + "}");
  for (const char* part : {R"("verdict":"fits")", R"("kv_budget_band":[)", R"("cures":[])"}) CHECK(has(fit, part));
  CHECK(has(answer(R"({"ask":"inspect","checkpoint":)" + shape + "}"), R"("model_type":"llama")"));
}

TEST_CASE("the door refuses with diagnostics") {
  for (const char* question :
       {"", "{", "[]", "3", R"({"ask":3})", R"({"ask":"dance"})", R"({"ask":"explain"})", R"({"ask":"check"})",
        R"({"ask":"fit"})", R"({"ask":"inspect"})", R"({"ask":"explain","runtime":"vllm","quant_config":{"x":1}})"}) {
    CHECK(answer(question).starts_with(R"({"errors":)"));
  }
}
