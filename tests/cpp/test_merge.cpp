// merge.hpp: user parameters over derived arguments.
#include "quantmap/catalog/codes.hpp"
#include "quantmap/mapping/merge.hpp"

#include <limits>

#include "quantmap/base/text.hpp"
#include "support.hpp"

using namespace quantmap;
using quantmap::testing::errors;
using quantmap::testing::json;
using quantmap::testing::Texts;
using quantmap::testing::warnings;

namespace {

std::vector<Argument> derived() {
  const FieldId field = FieldId::kGemm;
  return {{"--quantization", std::string("fp8"), field, ChannelKind::kFlag, {}},
          {"VLLM_ATTENTION_BACKEND", std::string("FLASHINFER"), field, ChannelKind::kEnv, {}},
          {"--tp-size", std::int64_t{2}, field, ChannelKind::kFlag, "nothing"}};
}

struct Merged {
  std::string line;
  Texts errors;
  Texts warnings;
};

Merged merged(const Value& parameters, std::string_view engine_id = {}) {
  std::vector<Argument> arguments = derived();
  Diagnostics problems;
  merge(arguments, parameters, engine_id.empty() ? nullptr : find_engine(engine_id), Path("user_parameters"), problems);
  Merged out{{}, errors(problems), warnings(problems)};
  for (const Argument& argument : arguments) {
    if (argument.kind == ChannelKind::kEnv) continue;
    out.line += (out.line.empty() ? "" : " ") + argument.flag + " " + to_text(argument.value);
  }
  return out;
}

Merged merged(std::string_view text, std::string_view engine_id = {}) { return merged(json(text), engine_id); }

// One parameter `x` with that value, as argument text; errors as "! code path".
std::string taken(const Value& value) {
  Diagnostics problems;
  const auto out = parameter_value(value, Path("x"), problems);
  if (!out) return errors(problems).empty() ? "(left out)" : "! " + errors(problems).front();
  CHECK(errors(problems).empty());
  return std::string(std::holds_alternative<bool>(*out) ? "switch " : "") + to_text(*out);
}

Value list_of(Value value) {
  Value out = Value::array();
  out.append(std::move(value));
  return out;
}

}  // namespace

TEST_CASE("how a parameter is spelt as a flag") {
  CHECK(flag_spelling("tp-size") == "--tp-size");
  CHECK(flag_spelling("tp_size") == "--tp_size");
  CHECK(flag_spelling("--tp-size") == "--tp-size");
  CHECK(flag_spelling("-tp") == "-tp");
  CHECK(flag_spelling("x") == "--x");
}

TEST_CASE("when two spellings name one flag") {
  CHECK(flag_identity("kv_cache_dtype", nullptr) == "--kv-cache-dtype");
  CHECK(flag_identity("--kv_cache-dtype", nullptr) == "--kv-cache-dtype");
  CHECK(flag_identity("-q", nullptr) == "-q");
  CHECK(flag_identity("-q", find_engine("vllm")) == "--quantization");
  CHECK(flag_identity("-q", find_engine("sglang")) == "-q");
  CHECK(flag_identity("tensor_parallel_size", find_engine("sglang")) == "--tp-size");
  CHECK(flag_identity("compilation_config.cudagraph_mode", nullptr) == "--compilation-config.cudagraph_mode");
  CHECK(flag_identity("Dtype", nullptr) == "--Dtype");
}

TEST_CASE("what can name an argument") {
  for (const std::string_view good : {"a", "tp-size", "kv_cache_dtype", "--x", "-q", "A9", "a.b_c", "0"}) {
    CHECK(is_parameter_name(good));
  }
  for (const std::string_view bad :
       {"", "-", "--", "---x", "a b", "a=b", "a;b", "a\n", "é", "a/b", "$(x)", "'", "--a\"", "a\\b"}) {
    CHECK_FALSE(is_parameter_name(bad));
  }
  CHECK_FALSE(is_parameter_name(std::string_view("a\0b", 3)));
  CHECK(is_parameter_name(std::string(256, 'a')));
  CHECK_FALSE(is_parameter_name(std::string(257, 'a')));
}

TEST_CASE("what a value becomes") {
  CHECK(taken(json("true")) == "switch true");
  CHECK(taken(json("false")) == "switch false");
  CHECK(taken(json("null")) == "(left out)");
  CHECK(taken(json("4")) == "4");
  CHECK(taken(json("-0")) == "0");
  CHECK(taken(json("0.85")) == "0.85");
  CHECK(taken(json("1e-5")) == "1e-05");
  CHECK(taken(json("100000000000000000000")) == "100000000000000000000");
  CHECK(taken(json("\"a b\"")) == "a b");
  CHECK(taken(json("\"\"")).empty());
  CHECK(taken(json("[]")) == "(left out)");
  CHECK(taken(json("[4, 8]")) == "4");
  CHECK(taken(json("[true]")) == "switch true");
  CHECK(taken(json("[null, 1]")) == "(left out)");
  CHECK(taken(json("[[1, 2], [3]]")) == "[[1,2],[3]]");
  CHECK(taken(json("[{\"a\": 1}, 2]")) == "{\"a\":1}");
  CHECK(taken(json("{}")) == "{}");
  CHECK(taken(json(R"({"a": [1, 2.5, null, true], "b": {"c": "é"}})")) ==
        R"({"a":[1,2.5,null,true],"b":{"c":"\u00e9"}})");
}

TEST_CASE("hostile values are refused") {
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK(taken(Value::real(infinity)) == "! not-finite x");
  CHECK(taken(Value::real(std::numeric_limits<double>::quiet_NaN())) == "! not-finite x");
  CHECK(taken(list_of(Value::real(-infinity))) == "! not-finite x[0]");
  CHECK(taken(list_of(list_of(Value::real(infinity)))) == "! not-finite x[0][0]");
  CHECK(taken(Value::foreign("set")) == "! wrong-type x");
  CHECK(taken(Value::broken(Code::kTooDeep)) == "! too-deep x");
  CHECK(taken(Value::broken(Code::kInvalidUnicode)) == "! invalid-unicode x");
  CHECK(taken(json("\"a\\u0000b\"")) == "! nul-character x");
  CHECK(taken(json("[\"\\u0000\"]")) == "! nul-character x[0]");
  CHECK(taken(json("{\"a\": \"\\u0000\"}")) == R"({"a":"\u0000"})");  // escaped: no NUL in the argument
  CHECK(taken(Value::text(std::string(kMaxArgument, 'x'))) == std::string(kMaxArgument, 'x'));
  CHECK(taken(Value::text(std::string(kMaxArgument + 1, 'x'))) == "! too-large x");
  CHECK(taken(Value::integer(std::string(kMaxArgument + 1, '9'))) == "! too-large x");
  CHECK(taken(list_of(list_of(Value::text(std::string(kMaxArgument, 'x'))))) == "! too-large x");
  Value object = Value::object();
  object.set("(int)", Value::broken(Code::kNonStringKey, "int"));
  object.set("deep", Value::broken(Code::kTooDeep));
  Diagnostics problems;
  CHECK_FALSE(parameter_value(object, Path("x"), problems).has_value());
  CHECK(errors(problems) == Texts{"non-string-key x['(int)']", "too-deep x.deep"});
}

TEST_CASE("a parameter replaces in place or is appended") {
  CHECK(merged("{}").line == "--quantization fp8 --tp-size 2");
  CHECK(merged("null").line == "--quantization fp8 --tp-size 2");
  CHECK(merged(R"({"z": 1, "quantization": "awq", "a": true})").line ==
        "--quantization awq --tp-size 2 --z 1 --a true");
  CHECK(merged(R"({"tp_size": 4})").line == "--quantization fp8 --tp-size 4");
  CHECK(merged(R"({"quantization": null})").line == "--quantization fp8 --tp-size 2");
  CHECK(merged(R"({"quantization": false})").line == "--quantization false --tp-size 2");
  CHECK(merged(R"({"new_one": 1})").line == "--quantization fp8 --tp-size 2 --new_one 1");
}

TEST_CASE("a replaced argument is no longer derived") {
  std::vector<Argument> arguments = derived();
  Diagnostics problems;
  merge(arguments, json(R"({"tp-size": 4})"), nullptr, Path("user_parameters"), problems);
  CHECK(arguments[2].from == kNoField);
  CHECK(arguments[2].instead.empty());
  CHECK(arguments[0].from == FieldId::kGemm);
}

TEST_CASE("aliases are an engine's") {
  CHECK(merged(R"({"tensor-parallel-size": 4})").line == "--quantization fp8 --tp-size 2 --tensor-parallel-size 4");
  CHECK(merged(R"({"tensor_parallel_size": 4})", "sglang").line == "--quantization fp8 --tp-size 4");
  CHECK(merged(R"({"-q": "awq"})", "vllm").line == "--quantization awq --tp-size 2");
  CHECK(merged(R"({"-q": "awq"})", "sglang").line == "--quantization fp8 --tp-size 2 -q awq");
}

TEST_CASE("two parameters for one flag: the last counts, and it is told") {
  const Merged two = merged(R"({"a-b": 1, "a_b": 2})");
  CHECK(two.line == "--quantization fp8 --tp-size 2 --a-b 2");
  CHECK(two.warnings == Texts{"duplicate-parameter user_parameters.a_b"});
  const Merged alias = merged(R"({"tp-size": 4, "tensor-parallel-size": 8, "tp_size": 1})", "sglang");
  CHECK(alias.line == "--quantization fp8 --tp-size 1");
  CHECK(alias.warnings.size() == 2);
  CHECK(merged(R"({"a-b": 1, "a_b": null})").warnings.empty());
}

TEST_CASE("environment variables cannot be named by parameters") {
  std::vector<Argument> arguments = derived();
  Diagnostics problems;
  merge(arguments, json(R"({"VLLM_ATTENTION_BACKEND": "x"})"), find_engine("vllm"), Path("user_parameters"), problems);
  CHECK(arguments.size() == 4);
  CHECK(to_text(arguments[1].value) == "FLASHINFER");
}

TEST_CASE("parameters that are wrong are all told") {
  CHECK(merged("[]").errors == Texts{"wrong-type user_parameters"});
  CHECK(merged("\"a\"").errors == Texts{"wrong-type user_parameters"});
  CHECK(merged(Value::broken(Code::kTooLarge, "much")).errors == Texts{"too-large user_parameters"});
  CHECK(merged(R"({"a b": 1, "": 2, "c": "\u0000", "--": null})").errors ==
        Texts{"bad-parameter-name user_parameters['a b']", "bad-parameter-name user_parameters['']",
              "nul-character user_parameters.c", "bad-parameter-name user_parameters.--"});
  Value object = Value::object();
  object.set("(int)", Value::broken(Code::kNonStringKey, "int"));
  CHECK(merged(object).errors == Texts{"non-string-key user_parameters['(int)']"});
}

TEST_CASE("many parameters are merged in reasonable time") {
  std::string text = "{";
  for (int i = 0; i < 20000; ++i) text += (i == 0 ? "\"p" : ",\"p") + std::to_string(i) + "\": " + std::to_string(i);
  const Merged all = merged(text + "}");
  CHECK(all.errors.empty());
  CHECK(all.line.find("--p19999 19999") != std::string::npos);
}
