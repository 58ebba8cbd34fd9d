#include "quantmap/plan/plan.hpp"

#include <set>
#include <string>
#include <vector>

#include "support.hpp"

using namespace quantmap;
using namespace quantmap::testing;

namespace {

Plan plan_of(std::string_view task, std::string_view policy = "degrade", std::string_view engines = "null") {
  PlanRequest request;
  request.task = json(task);
  request.policy = Value::text(std::string(policy));
  request.engines = json(engines);
  Diagnostics problems;
  auto plan = Plan::make(request, problems);
  REQUIRE_MESSAGE(plan.has_value(), std::string(task));
  return std::move(*plan);
}

Texts problems_of(std::string_view task) {
  PlanRequest request;
  request.task = json(task);
  Diagnostics problems;
  CHECK_FALSE(Plan::make(request, problems).has_value());
  return errors(problems);
}

std::string words(const Experiment& experiment) {
  std::string out;
  for (const Argument& argument : experiment.arguments) {
    out += (out.empty() ? "" : " ") + argument.flag + "=" + to_text(argument.value);
  }
  return out;
}

// What holds of every plan: each point is accounted for, and going on is the same as looking up.
void check_whole(const Plan& plan) {
  CHECK(plan.asked() == plan.distinct() + plan.merged() + plan.skipped());
  Count points = 0;
  std::set<std::string> signatures;
  std::string looked_up;
  for (Count i = 0; i < plan.distinct(); ++i) {
    const Experiment experiment = plan.experiment(i);
    CHECK(experiment.index == i);
    CHECK(experiment.points > 0);
    points += experiment.points;
    CHECK(signatures.insert(experiment.signature).second);
    looked_up += experiment.signature;
    CHECK_FALSE(plan.group(experiment.group).configs.empty());
  }
  CHECK(points == plan.distinct() + plan.merged());
  std::string walked;
  CHECK(plan.write_signatures(0, plan.distinct(), ~std::size_t{0}, walked) == plan.distinct());
  CHECK(walked == looked_up);
  std::string pieces;
  for (Count at = 0; at < plan.distinct();) {
    std::string piece;
    at = plan.write_lines(at, plan.distinct(), 1, at == 0 ? Plan::Groups::kAll : Plan::Groups::kContinue, piece);
    pieces += piece;
  }
  std::string whole;
  plan.write_lines(0, plan.distinct(), ~std::size_t{0}, Plan::Groups::kAll, whole);
  CHECK(pieces == whole);
}

}  // namespace

TEST_CASE("points that are one launch become one experiment") {
  const Plan plan = plan_of(R"({"base_runtime": "vllm", "quant_config": {"attention_dtype": ["auto", "fp8"],
      "kvcache_dtype": ["auto", "fp8"]}, "parameters": {"tp": [1, 2]}})");
  check_whole(plan);
  CHECK(plan.asked() == 8);
  CHECK(plan.distinct() == 4);
  CHECK(words(plan.experiment(0)) == "--dtype=auto --kv-cache-dtype=auto --tp=1");
  CHECK(plan.experiment(0).points == 2);
  CHECK(plan.group(plan.experiment(0).group).configs.size() == 2);
}

TEST_CASE("in a release its own defaults make no difference") {
  const std::string_view task = R"({"base_runtime": "vllm@0.11.0", "quant_config": {"gemm_dtype": ["auto", "bfloat16"]},
      "parameters": {"gpu-memory-utilization": [null, 0.9, "0.90", 0.8], "tensor-parallel-size": ["1", 1, null, 2, "+2", "02"]}})";
  const Plan plan = plan_of(task);
  check_whole(plan);
  CHECK(plan.asked() == 48);
  CHECK(plan.distinct() == 8);
}

TEST_CASE("what a parameter hides merges, what shows through does not") {
  for (const std::string_view runtime : {"vllm", "vllm@0.11.0", "sglang", "sglang@0.5.2", "tensorrt_llm@1.0.0"}) {
    const Plan plan = plan_of(R"({"base_runtime": ")" + std::string(runtime) +
                              R"(", "quant_config": {"kvcache_dtype": ["auto", "fp8", "fp8_e5m2"],
        "gemm_dtype": ["auto", "fp8", "bfloat16"]},
        "parameters": {"kv-cache-dtype": [null, "auto", "fp8_e5m2"], "quantization": ["fp8", null],
                       "x": [1, 2], "kv_cache_dtype": ["fp8", null], "dtype": [null, "bfloat16"]}})");
    check_whole(plan);
    CHECK(plan.distinct() < plan.asked());
  }
}

TEST_CASE("skipped points, each for its first cause") {
  const Plan plan = plan_of(R"({"base_runtime": "vllm@0.11.0", "quant_config": {"gemm_dtype": ["auto", "fp9"],
      "kvcache_dtype": [1, "fp8"]}, "parameters": {"a": [1, "\u0000"], "dtype": ["auto", "no"]}})",
                            "strict");
  check_whole(plan);
  Texts causes;
  for (const Skip& skip : plan.skips()) {
    causes.push_back(std::string(skip.cause.text().code) + " " + skip.cause.path + " " + std::to_string(skip.count));
  }
  CHECK(causes == Texts{"unknown-value $.quant_config.gemm_dtype[1] 8", "wrong-type $.quant_config.kvcache_dtype[0] 4",
                        "nul-character $.parameters.a[1] 2", "refused-by-policy $.parameters.a[0] 2"});
  CHECK(plan.distinct() == 0);
}

TEST_CASE("a plan of more points than anybody could enumerate") {
  std::string list;
  for (int i = 0; i < 1000; ++i) list += (i == 0 ? "" : ",") + std::to_string(i);
  const Plan plan = plan_of(R"({"base_runtime": "sglang", "parameters": {"a": [)" + list + R"(], "b": [)" + list +
                            R"(], "c": [)" + list + R"(], "d": [)" + list + "]}}");
  CHECK(plan.asked() == 1'000'000'000'000);
  CHECK(plan.distinct() == plan.asked());
  CHECK(words(plan.experiment(123'456'789'012)) == "--dtype=auto --kv-cache-dtype=auto --a=123 --b=456 --c=789 --d=12");
}

TEST_CASE("an experiment matrix, by engine") {
  const Plan plan = plan_of(R"({"experiment_matrix": [
      {"dimension": "quantization_method", "values": ["universal-fp8", "awq"], "engines": ["vllm", "sglang"]},
      {"dimension": "kv_cache_dtype", "values": ["auto", "fp8_e5m2"], "engines": ["all"]},
      {"dimension": "tensor_parallel_size", "values": [1, 2]}]})");
  check_whole(plan);
  CHECK(plan.targets().size() == 3);
  CHECK(plan.asked() == 20);
}

TEST_CASE("a task that is wrong is an error with its place") {
  CHECK(problems_of("[]") == Texts{"not-an-object $"});
  CHECK(problems_of(R"({"quant_config": {}})") == Texts{"no-engine $.base_runtime"});
  CHECK(problems_of(R"({"base_runtime": "vllm", "quant_config": {"gemm_dtype": []}})") ==
        Texts{"empty-list $.quant_config.gemm_dtype"});
  CHECK(problems_of(R"({"base_runtime": "vllm", "quant_config": {"gem": ["auto"]}})") ==
        Texts{"unknown-key $.quant_config.gem"});
  CHECK(problems_of(R"({"base_runtime": "vllm", "quant_config": {"preset": "default"},
                        "parameters": {"quantization_preset": ["default"]}})") ==
        Texts{"axis-given-twice $.parameters.quantization_preset"});
  CHECK(problems_of(R"({"base_runtime": "vllm", "parameters": {"a b": [1]}})") ==
        Texts{"bad-parameter-name $.parameters['a b']"});
  CHECK(problems_of(R"({"experiment_matrix": [{"dimension": "kv", "values": [1]}]})") ==
        Texts{"unknown-dimension $.experiment_matrix[0].dimension"});
  CHECK(problems_of(R"({"base_runtime": "vllm", "optimization": {"max_iterations": 0}})") ==
        Texts{"wrong-type $.optimization.max_iterations"});
  std::string wide = R"({"base_runtime": "vllm", "parameters": {)";
  for (int i = 0; i < 64; ++i) wide += (i == 0 ? "" : ",") + std::string("\"p") + std::to_string(i) + "\": [1, 2]";
  CHECK(problems_of(wide + "}}") == Texts{"too-many-points $.parameters.p62"});
}
