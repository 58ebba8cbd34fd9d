// launch.hpp: the whole way, and everything that can be wrong with the arguments besides the config.
#include "quantmap/mapping/launch.hpp"

#include "support.hpp"

using namespace quantmap;
using quantmap::testing::errors;
using quantmap::testing::json;
using quantmap::testing::line;
using quantmap::testing::Texts;
using quantmap::testing::warnings;

namespace {

LaunchRequest request(std::string_view runtime, std::string_view config = "null", std::string_view parameters = "null",
                      std::string_view model = "null") {
  LaunchRequest out;
  out.runtime = Value::text(std::string(runtime));
  out.quant_config = json(config);
  out.user_parameters = json(parameters);
  out.model_quantization = json(model);
  return out;
}

Mapping mapped(const LaunchRequest& asked) {
  Diagnostics problems;
  const auto mapping = launch(asked, problems);
  REQUIRE_MESSAGE(mapping.has_value(), (problems.all().empty() ? "" : problems.all()[0].message()));
  CHECK(errors(problems).empty());
  return *mapping;
}

Texts refused(const LaunchRequest& asked) {
  Diagnostics problems;
  CHECK_FALSE(launch(asked, problems).has_value());
  return errors(problems);
}

}  // namespace

TEST_CASE("a runtime's name is read loosely") {
  for (const std::string_view name : {"tensorrt_llm", "tensorrt-llm", "TRT-LLM", " trtllm\n"}) {
    CHECK(mapped(request(name)).engine->id == "tensorrt_llm");
  }
  CHECK(mapped(request("vLLM")).engine->id == "vllm");
  CHECK(mapped(request("SGLang")).engine->id == "sglang");
  for (const Engine& engine : catalog().engines) {
    CHECK_FALSE(engine.runtime_names.empty());
    for (const std::string_view name : engine.runtime_names) CHECK(mapped(request(name)).engine == &engine);
    CHECK(find_engine(engine.id) == &engine);
  }
}

TEST_CASE("a runtime that is not known") {
  for (const std::string_view name : {"", "vlm", "vllm sglang", "llama.cpp", "@1"}) {
    CHECK(refused(request(name)) == Texts{"unknown-engine runtime"});
  }
  LaunchRequest number = request("vllm");
  number.runtime = json("1");
  CHECK(refused(number) == Texts{"wrong-type runtime"});
  Diagnostics problems;
  std::string version;
  CHECK(read_runtime(Value::text("sglan"), version, problems) == nullptr);
  CHECK(problems.all()[0].hint() == "did you mean 'sglang'?");
}

TEST_CASE("a version is split off and makes the mode checked") {
  const std::pair<std::string_view, std::string_view> known[] = {{"vllm@0.11.0", "0.11.0"},
                                                                 {"vllm==0.11.0", "0.11.0"},
                                                                 {" vLLM @ 0.6 ", "0.6"},
                                                                 {"vllm@", "(empty)"},
                                                                 {"vllm", ""}};
  for (const auto& [name, expected] : known) {
    Diagnostics problems;
    std::string version;
    CHECK(read_runtime(Value::text(std::string(name)), version, problems) == find_engine("vllm"));
    CHECK(version == expected);
    if (expected == "(empty)") {
      CHECK(refused(request(name)) == Texts{"not-a-version runtime"});
    } else {
      CHECK(mapped(request(name)).deployment.checked == !expected.empty());
    }
  }
}

TEST_CASE("what belongs to checked mode needs a version") {
  LaunchRequest asked = request("vllm");
  asked.gpu = json("\"h100\"");
  asked.policy = json("\"strict\"");
  CHECK(refused(asked) == Texts{"needs-version gpu", "needs-version policy"});
  asked.engine_version = json("\"0.11.0\"");
  const Mapping mapping = mapped(asked);
  CHECK(mapping.deployment.checked);
  CHECK(catalog().gpu_classes[mapping.deployment.gpu].id == "sm90");
  asked.checkpoint = json("[]");
  CHECK(refused(asked) == Texts{"wrong-type checkpoint"});
  asked = request("vllm");
  asked.policy = json("\"strikt\"");
  CHECK(refused(asked) == Texts{"bad-policy policy"});
  asked.policy = json("3");
  CHECK(refused(asked) == Texts{"wrong-type policy"});
  asked.policy = json("null");
  asked.default_policy = "strikt";
  CHECK_FALSE(mapped(asked).deployment.checked);  // and the default says nothing
  asked.engine_version = json("\"0.11.0\"");
  CHECK(refused(asked) == Texts{"bad-policy policy"});
}

TEST_CASE("problems of all arguments come together") {
  CHECK(refused(request("vlm", R"({"gemm_dtype": "fp16"})", R"({"a b": 1})")) ==
        Texts{"unknown-engine runtime", "unknown-value $.gemm_dtype", "bad-parameter-name user_parameters['a b']"});
  CHECK(refused(request("vllm", "{}", R"({"a b": 1})")) == Texts{"bad-parameter-name user_parameters['a b']"});
  CHECK(refused(request("vllm", "[]", "[]")) == Texts{"not-an-object $", "wrong-type user_parameters"});
}

TEST_CASE("parameters win, and the decision says so") {
  const Mapping mapping =
      mapped(request("sglang", R"({"kvcache_dtype": "fp8"})", R"({"kv_cache_dtype": "auto", "tp": 2})"));
  CHECK(line(mapping) == "--dtype auto --kv-cache-dtype auto --tp 2");
  const Decision& cache = mapping.decisions.at(1);
  CHECK(cache.field == FieldId::kKvcache);
  CHECK(cache.outcome == Outcome::kReplaced);
  CHECK(cache.why.message() == "KV Cache: 'fp8' gives way to the parameter --kv-cache-dtype auto.");
  CHECK(warnings(mapping.diagnostics).empty());  // what was replaced is not judged
}

TEST_CASE("warnings come in order: model, fields, parameters, and what is never accepted") {
  const Mapping mapping =
      mapped(request("vllm", R"({"gemm_dtype": "int8", "attention_dtype": "fp8"})", R"({"x-y": 1, "x_y": 2})", "[]"));
  CHECK(warnings(mapping.diagnostics) == Texts{"unreadable-model-quantization model_quantization",
                                               "falls-back-to-gemm $.attention_dtype",
                                               "duplicate-parameter user_parameters.x_y", "never-accepted $"});
}
