// config.hpp, validate.hpp, resolve.hpp: from input to a config, and every way it can be wrong.
#include "quantmap/catalog/codes.hpp"
#include "quantmap/config/config.hpp"

#include <limits>

#include "quantmap/base/text.hpp"
#include "quantmap/config/validate.hpp"
#include "support.hpp"

using namespace quantmap;
using quantmap::testing::config;
using quantmap::testing::config_errors;
using quantmap::testing::errors;
using quantmap::testing::json;
using quantmap::testing::Texts;

namespace {

std::string resolved(std::string_view text) { return write_json(to_value(config(text))); }

Texts value_errors(const Value& value) {
  Diagnostics problems;
  CHECK_FALSE(resolve(value, Path("$"), problems).has_value());
  return errors(problems);
}

// {"key": value}
Value object(std::string_view key, Value value) {
  Value out = Value::object();
  out.set(std::string(key), std::move(value));
  return out;
}

std::string hint_of(std::string_view text) {
  Diagnostics problems;
  CHECK_FALSE(resolve(json(text), Path("$"), problems).has_value());
  REQUIRE_FALSE(problems.all().empty());
  return problems.all().front().hint();
}

constexpr std::string_view kDefaults =
    R"({"gemm_dtype":"auto","kvcache_dtype":"auto","attention_dtype":"auto","moe_dtype":"auto"})";

}  // namespace

TEST_CASE("nothing asked is the four-field default") {
  for (const std::string_view text :
       {"null", "{}", R"({"gemm_dtype": null})", R"({"preset": null})", R"({"presets": null})",
        R"({"quantization_config": null})", R"({"quantization_config": {}})"}) {
    CHECK(resolved(text) == kDefaults);
  }
}

TEST_CASE("explicit fields stand over the preset, null does not") {
  const Config own = config(R"({"preset": "dynamic-fp8", "gemm_dtype": "bfloat16", "kvcache_dtype": null})");
  CHECK(own.preset == "dynamic-fp8");
  CHECK(write_json(to_value(own)) ==
        R"({"gemm_dtype":"bfloat16","kvcache_dtype":"fp8_e5m2","attention_dtype":"fp8","moe_dtype":"auto"})");
  CHECK(resolved(R"({"presets": ["default"]})") == kDefaults);
  CHECK(resolved(R"({"quantization_config": {"preset": "default"}, "preset": null})") == kDefaults);
}

TEST_CASE("every preset resolves to itself") {
  for (const Preset& preset : catalog().presets) {
    CAPTURE(std::string(preset.id));
    const std::string text = write_json(to_value(preset_config(preset)));
    CHECK(resolved("{\"preset\": \"" + std::string(preset.id) + "\"}") == text);
    CHECK(resolved(text) == text);
    CHECK(config(text).form == preset.form);
    CHECK(find_preset(preset.id) == &preset);
  }
  CHECK(find_preset("no-such-preset") == nullptr);
}

TEST_CASE("the unified form keeps what is present, in catalogue order") {
  CHECK(resolved(R"({"dtype": "float16", "name": "n", "kv_cache": {"fp8_format": "e4m3", "dtype": "fp8"}, "moe": {},
                     "quantization": {"weight_bits": 4, "method": "awq", "enable_marlin": false, "memory_reduction": 1}})") ==
        R"({"quantization":{"method":"awq","weight_bits":4,"enable_marlin":false,"memory_reduction":1.0},)"
        R"("kv_cache":{"dtype":"fp8_e4m3","fp8_format":"e4m3"},"moe":{},"dtype":"float16","name":"n"})");
  CHECK(resolved(R"({"kv_cache": {"dtype": "fp8"}})") == R"({"kv_cache":{"dtype":"fp8_e5m2"}})");
  CHECK(resolved(R"({"quantization": null, "dtype": "auto"})") == R"({"dtype":"auto"})");
}

TEST_CASE("settings are spelt as in a config") {
  const Config own = config(R"({"quantization": {"method": "qoq", "weight_bits": 4, "enable_marlin": true,
      "memory_reduction": 0.25}, "parallelism": {"tensor_parallel_size": 8}})");
  CHECK(spelled(FieldId::kMethod, own[FieldId::kMethod]) == "qoq");
  CHECK(spelled(FieldId::kWeightBits, own[FieldId::kWeightBits]) == "4");
  CHECK(spelled(FieldId::kEnableMarlin, own[FieldId::kEnableMarlin]) == "true");
  CHECK(spelled(FieldId::kMemoryReduction, own[FieldId::kMemoryReduction]) == "0.25");
  CHECK(spelled(FieldId::kTp, own[FieldId::kTp]) == "8");
  CHECK_FALSE(effective(own, FieldId::kPp).present);
  CHECK(spelled(FieldId::kDtype, effective(own, FieldId::kDtype)) == "auto");
  const Field& method = field_info(FieldId::kMethod);
  const auto bit = [&method](std::string_view id) { return std::uint64_t{1} << find_option(method, id); };
  CHECK(is_one_of(method, own[FieldId::kMethod], bit("awq") | bit("qoq")));
  CHECK_FALSE(is_one_of(method, own[FieldId::kMethod], bit("awq")));
  CHECK_FALSE(is_one_of(method, Setting{}, ~std::uint64_t{0}));
  CHECK(is_one_of(field_info(FieldId::kTp), own[FieldId::kTp], ~std::uint64_t{0}));
  CHECK_FALSE(is_one_of(field_info(FieldId::kTp), own[FieldId::kTp], 0xFFFFU));
}

TEST_CASE("every option of every field is accepted alone and refused in another case") {
  for (const Field& field : catalog().fields) {
    if (field.kind != FieldKind::kOption || field.options[0].number >= 0) continue;
    for (const Option& option : field.options) {
      CAPTURE(std::string(field.id) + " " + std::string(option.id));
      Diagnostics problems;
      const auto setting = read_setting(field, Value::text(std::string(option.id)), Path("$"), problems);
      REQUIRE(setting.has_value());
      CHECK(spelled(field.field, *setting) == option.id);
      CHECK_FALSE(read_setting(field, Value::text(" " + std::string(option.id)), Path("$"), problems).has_value());
      CHECK(errors(problems) == Texts{"unknown-value $"});
      CHECK(problems.all().front().hint() == "did you mean " + quote(option.id) + "?");
    }
  }
}

TEST_CASE("all problems at once, in the order of the keys") {
  CHECK(config_errors(R"({"gemm_dytpe": 1, "kvcache_dtype": 8, "attention_dtype": ["fp8"], "moe_dtype": "fp16"})") ==
        Texts{"unknown-key $.gemm_dytpe", "wrong-type $.kvcache_dtype", "list-of-values $.attention_dtype",
              "unknown-value $.moe_dtype"});
  CHECK(config_errors(R"({"quantization": {"metod": "awq", "method": "awk"}, "kv_cache": [], "parallelism":
                          {"tensor_parallel_size": 9, "pipeline_parallel_size": 0}})") ==
        Texts{"unknown-key $.quantization.metod", "unknown-value $.quantization.method", "wrong-type $.kv_cache",
              "out-of-range $.parallelism.tensor_parallel_size", "out-of-range $.parallelism.pipeline_parallel_size"});
}

TEST_CASE("the two forms do not mix") {
  CHECK(config_errors(R"({"gemm_dtype": "fp8", "dtype": "auto"})") == Texts{"mixed-forms $"});
  CHECK(config_errors(R"({"quantization_config": {"gemm_dtype": "fp8", "moe": {}}})") ==
        Texts{"mixed-forms $.quantization_config"});
  CHECK(config_errors(R"({"preset": "universal-fp8", "gemm_dtype": "fp8"})") == Texts{"mixed-forms $"});
  CHECK(config_errors(R"({"preset": "dynamic-fp8", "kv_cache": {"dtype": "auto"}})") == Texts{"mixed-forms $"});
}

TEST_CASE("presets and the wrapper are used one at a time") {
  CHECK(config_errors(R"({"preset": "kv-cache-fp7"})") == Texts{"unknown-preset $.preset"});
  CHECK(hint_of(R"({"preset": "kv-cache-fp7"})") == "did you mean 'kv-cache-fp8'?");
  CHECK(config_errors(R"({"preset": "default", "presets": ["default"]})") == Texts{"preset-beside-presets $.presets"});
  CHECK(config_errors(R"({"presets": []})") == Texts{"empty-presets $.presets"});
  CHECK(config_errors(R"({"presets": "default"})") == Texts{"wrong-type $.presets"});
  CHECK(config_errors(R"({"presets": ["default", "x"]})") ==
        Texts{"unknown-preset $.presets[1]", "several-presets $.presets"});
  CHECK(config_errors(R"({"preset": ["default"]})") == Texts{"list-of-values $.preset"});
  CHECK(config_errors(R"({"quantization_config": {}, "preset": "default"})") ==
        Texts{"wrapper-beside-fields $.preset"});
  CHECK(config_errors(R"({"quantization_config": {"quantization_config": {}}})") ==
        Texts{"duplicate-wrapper $.quantization_config.quantization_config"});
  CHECK(config_errors(R"({"quantization_config": []})") == Texts{"not-an-object $.quantization_config"});
  CHECK(config_errors(R"({"quantization_config": {"preset": 1}})") == Texts{"wrong-type $.quantization_config.preset"});
}

TEST_CASE("what a section needs") {
  CHECK(config_errors(R"({"quantization": {}})") == Texts{"missing-method $.quantization"});
  CHECK(config_errors(R"({"quantization": {"method": null}})") == Texts{"missing-method $.quantization"});
  CHECK(config_errors(R"({"preset": "universal-fp8", "quantization": {"weight_bits": 8}})").empty());
  CHECK(config_errors(R"({"kv_cache": {"dtype": "fp8_e5m2", "fp8_format": "e4m3"}})") ==
        Texts{"conflicting-fp8-format $.kv_cache.fp8_format"});
  CHECK(config_errors(R"({"kv_cache": {"dtype": "auto", "fp8_format": "e4m3"}})").empty());
}

TEST_CASE("hints know other spellings and misplaced keys") {
  CHECK(hint_of(R"({"gemm_dtype": "bf16"})") == "did you mean 'bfloat16'?");
  CHECK(hint_of(R"({"kvcache_dtype": "HALF"})") == "did you mean 'fp16'?");
  CHECK(hint_of(R"({"gemm_dtype": "fp8_e4m3"})") == "did you mean 'fp8'?");
  CHECK(hint_of(R"({"gemm_dtype": "zzzzzzzz"})").empty());
  CHECK(hint_of(R"({"weight_bits": 4})") == "it belongs inside 'quantization'");
  CHECK(hint_of(R"({"kv_cach": {}})") == "did you mean 'kv_cache'?");
  CHECK(hint_of(R"({"moe": {"zzzzzzzzzzzzzz": 1}})").rfind("known keys: ", 0) == 0);
}

TEST_CASE("numbers are numbers of the right kind and size") {
  const auto tp = [](const std::string& value) {
    return config_errors("{\"parallelism\": {\"tensor_parallel_size\": " + value + "}}");
  };
  CHECK(tp("1").empty());
  CHECK(tp("8").empty());
  for (const char* value : {"0", "9", "-1", "9223372036854775808", "-99999999999999999999999999"}) {
    CHECK(tp(value) == Texts{"out-of-range $.parallelism.tensor_parallel_size"});
  }
  for (const char* value : {"2.0", "true", "\"2\"", "{}"}) {
    CHECK(tp(value) == Texts{"wrong-type $.parallelism.tensor_parallel_size"});
  }
  const auto ratio = [](const std::string& value) {
    return config_errors("{\"quantization\": {\"method\": \"qoq\", \"memory_reduction\": " + value + "}}");
  };
  for (const char* value : {"1", "1.0", "0.5", "5e-324"}) CHECK(ratio(value).empty());
  for (const char* value :
       {"0", "0.0", "-0.0", "-1", "2", "1.0000000000000002", "1e300", "1000000000000000000000000"}) {
    CHECK(ratio(value) == Texts{"out-of-range $.quantization.memory_reduction"});
  }
  CHECK(ratio("\"0.5\"") == Texts{"wrong-type $.quantization.memory_reduction"});
  CHECK(config_errors(R"({"quantization": {"method": "awq", "weight_bits": 5}})") ==
        Texts{"unknown-value $.quantization.weight_bits"});
  CHECK(config_errors(R"({"quantization": {"method": "awq", "weight_bits": "4"}})") ==
        Texts{"wrong-type $.quantization.weight_bits"});
}

TEST_CASE("hostile values are reported where they stand") {
  CHECK(value_errors(Value::foreign("set")) == Texts{"not-an-object $"});
  CHECK(value_errors(Value::broken(Code::kTooDeep)) == Texts{"too-deep $"});
  CHECK(value_errors(Value::array()) == Texts{"not-an-object $"});
  CHECK(value_errors(object("gemm_dtype", Value::foreign("bytes"))) == Texts{"wrong-type $.gemm_dtype"});
  CHECK(value_errors(object("gemm_dtype", Value::broken(Code::kInvalidUnicode))) ==
        Texts{"invalid-unicode $.gemm_dtype"});
  CHECK(value_errors(object("(int)", Value::broken(Code::kNonStringKey, "int"))) == Texts{"non-string-key $['(int)']"});
  CHECK(value_errors(object("moe", object("(int)", Value::broken(Code::kNonStringKey, "int")))) ==
        Texts{"non-string-key $.moe['(int)']"});
  CHECK(value_errors(object("quantization_config", Value::broken(Code::kTooDeep))) ==
        Texts{"too-deep $.quantization_config"});
  for (const double bad : {std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(),
                           std::numeric_limits<double>::quiet_NaN()}) {
    CHECK(value_errors(object("gemm_dtype", Value::real(bad))) == Texts{"not-finite $.gemm_dtype"});
  }
  const std::string huge(1000000, 'x');
  Diagnostics problems;
  CHECK_FALSE(resolve(object(huge, object(huge, Value::text(huge))), Path("$"), problems).has_value());
  REQUIRE(problems.all().size() == 1);
  CHECK(problems.all()[0].path.size() < 100);
  CHECK(problems.all()[0].message().size() < 1000);
  CHECK(config_errors("{\"\\u0000\": 1}") == Texts{"unknown-key $['\\x00']"});
}

TEST_CASE("diagnostics have words") {
  CHECK(fill("a {x} b {y} c {z", {{"x", "1"}}) == "a 1 b  c {z");
  CHECK(fill("{x}{x}", {{"x", "{x}"}}) == "{x}{x}");
  CHECK(fill("", {}).empty());
  Diagnostics list;
  list.add_once(Code::kNothingAsked, "$.a");
  list.add_once(Code::kNothingAsked, "$.a");
  list.add_once(Code::kNothingAsked, "$.b");
  CHECK(list.all().size() == 2);
  CHECK_FALSE(list.has_errors());
  list.add(Code::kTooDeep, "$");
  CHECK(list.has_errors());
  CHECK(Path(Path(Path("$"), "a-b_1"), std::size_t{3}).str() == "$.a-b_1[3]");
  CHECK(Path(Path("$"), "x.y").str() == "$['x.y']");
}
