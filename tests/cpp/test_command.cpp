// command.hpp: words of a shell line, and what a launch line says.
#include "quantmap/check/check.hpp"

#include "support.hpp"

using namespace quantmap;
using quantmap::testing::errors;
using quantmap::testing::json;
using quantmap::testing::Texts;

namespace {

Checked checked(std::string_view line, std::string_view version = "latest") {
  CheckRequest request;
  request.command = Value::text(std::string(line));
  request.engine_version = Value::text(std::string(version));
  Diagnostics problems;
  const auto out = check_command(request, problems);
  REQUIRE_MESSAGE(out.has_value(), (problems.all().empty() ? "" : problems.all()[0].message()));
  return *out;
}

Texts refused(const CheckRequest& request) {
  Diagnostics problems;
  CHECK_FALSE(check_command(request, problems).has_value());
  return errors(problems);
}

}  // namespace

TEST_CASE("variables, launcher, model, arguments") {
  const Checked line = checked("A=1 VLLM_USE_V1=1 vllm serve m --dtype=auto --enforce-eager -tp 2");
  CHECK(line.engine->id == "vllm");
  CHECK(line.model == "m");
  REQUIRE(line.verdicts.size() == 5);
  CHECK(line.verdicts[0].flag == "A");
  CHECK(line.verdicts[2].value == "auto");
  CHECK(line.verdicts[3].value == "true");
  CHECK(line.verdicts[4].canonical == "--tensor-parallel-size");
}

TEST_CASE("the last of a repeated flag is judged") {
  const Checked line = checked("vllm serve m --dtype half --dtype no-dtype");
  REQUIRE(line.verdicts.size() == 2);
  CHECK(line.verdicts[0].judgement == Judgement::kNoEffect);
  CHECK(line.verdicts[1].judgement == Judgement::kValueNotAccepted);
  CHECK(is_refusal(line.verdicts[1].judgement));
}

TEST_CASE("a launch that is refused as a whole") {
  CheckRequest request;
  request.command = Value::text("python3 -m sglang.launch_server --model-path m");
  request.engine_version = Value::text("0.5.9");
  request.gpu = Value::text("V100");
  Diagnostics problems;
  auto out = check_command(request, problems);
  REQUIRE(out.has_value());
  CHECK(out->notes.has_errors());
  CHECK(errors(out->notes) == Texts{"cannot-serve $"});
  request.gpu = Value::text("T4");
  out = check_command(request, problems);
  REQUIRE(out.has_value());
  CHECK_FALSE(out->notes.has_errors());
}

TEST_CASE("commands that cannot be judged") {
  CheckRequest request;
  request.command = Value::text("echo hello");
  CHECK(refused(request) == Texts{"unknown-launcher command"});
  request.engine = Value::text("sglang");
  request.command = Value::text("vllm serve m");
  CHECK(refused(request) == Texts{"other-launcher command"});
  request.command = json("[\"vllm\", 1]");
  CHECK(refused(request) == Texts{"wrong-type command[1]"});
  request.command = json("7");
  CHECK(refused(request) == Texts{"wrong-type command"});
  request.engine = Value::text("nobody");
  CHECK(refused(request) == Texts{"unknown-engine runtime"});
}

TEST_CASE("words as the parser of the release takes them") {
  const auto last = [](std::string_view line, std::string_view version) {
    const Checked out = checked(line, version);
    return out.verdicts.back();
  };
  CHECK(last("trtllm-serve m --tp-size 2", "latest").hint == "write --tp_size");
  CHECK_FALSE(is_refusal(last("vllm serve m --tensor_parallel_size 2", "0.11.0").judgement));
  CHECK(last("vllm serve m -O3", "0.11.0").value == "3");
  CHECK(last("vllm serve m -tp=2", "0.11.0").value == "2");
  CHECK(last("vllm serve m --kv-cache-dtype", "0.11.0").judgement == Judgement::kValueNotAccepted);
  CHECK(last("vllm serve m --enforce-eager true", "0.11.0").flag == "true");
  CHECK(last("python3 -m sglang.launch_server --pp-size 2", "0.4.6").hint.empty());
}
