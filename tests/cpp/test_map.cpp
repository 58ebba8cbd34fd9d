// map.hpp: rows, decisions, the fallback chain, the model's own quantization.
#include "quantmap/catalog/codes.hpp"
#include "quantmap/mapping/map.hpp"

#include <algorithm>
#include <set>

#include "quantmap/base/text.hpp"
#include "quantmap/config/method.hpp"
#include "support.hpp"

using namespace quantmap;
using quantmap::testing::config;
using quantmap::testing::json;
using quantmap::testing::line;
using quantmap::testing::Texts;
using quantmap::testing::warnings;

namespace {

const Engine& engine(std::string_view id) {
  const Engine* found = find_engine(id);
  REQUIRE(found != nullptr);
  return *found;
}

Mapping map(std::string_view engine_id, std::string_view text, const ModelQuantization& model = {}) {
  return map_config(config(text), engine(engine_id), model);
}

std::string chain(std::string_view engine_id, std::string_view quantization) {
  const Config own = config("{\"quantization\": " + std::string(quantization) + "}");
  const MethodChoice choice = choose_method(own, engine(engine_id).documented);
  return join(choice.chain, ">") + " = " +
         std::string(field_info(FieldId::kMethod).options[static_cast<std::size_t>(choice.option)].id);
}

const Decision& decision(const Mapping& mapping, FieldId field) {
  const auto found = std::find_if(mapping.decisions.begin(), mapping.decisions.end(),
                                  [field](const Decision& item) { return item.field == field; });
  REQUIRE(found != mapping.decisions.end());
  return *found;
}

// What must hold for every mapping.
void check_sound(const Mapping& mapping) {
  std::set<std::string> flags;
  for (const Argument& argument : mapping.arguments) {
    if (!flags.insert(argument.flag).second) FAIL_CHECK("emitted twice: " << argument.flag);
    if (to_text(argument.value).empty()) FAIL_CHECK("no value: " << argument.flag);
  }
  const auto order = mapping.engine->order[static_cast<std::size_t>(mapping.config.form)];
  std::size_t last = 0;
  for (const Decision& item : mapping.decisions) {
    const auto place = static_cast<std::size_t>(std::find(order.begin(), order.end(), item.field) - order.begin());
    if (place == order.size() || place < last) FAIL_CHECK("out of order: " << field_info(item.field).id);
    last = place;
    if (item.why.path.empty()) FAIL_CHECK("no row for " << field_info(item.field).id << " " << item.value);
    if (item.why.message().find("''") != std::string::npos) FAIL_CHECK("a word is missing: " << item.why.message());
    if (item.outcome != Outcome::kApplied && item.why.text().code == "applied") FAIL_CHECK("applied, but not");
    for (const Emitted& emitted : item.emitted) {
      const auto is_it = [&](const Argument& argument) {
        return argument.flag == emitted.name && argument.value == emitted.value && argument.from == item.field;
      };
      const bool there = std::any_of(mapping.arguments.begin(), mapping.arguments.end(), is_it);
      if (!there) FAIL_CHECK("decided but not emitted: " << emitted.name);
    }
  }
  for (const Diagnostic& item : mapping.diagnostics.all()) {
    if (item.text().severity != Severity::kWarning) FAIL_CHECK("not a warning: " << item.text().code);
    if (item.message().find('{') != std::string::npos) FAIL_CHECK(item.message());
  }
}

}  // namespace

TEST_CASE("every four-field config maps on every engine, for either kind of model") {
  std::vector<const Field*> fields;
  for (const Field& field : catalog().fields) {
    if (field.form == Form::kFourField) fields.push_back(&field);
  }
  std::size_t total = 1;
  for (const Field* field : fields) total *= field->options.size();
  CHECK(total == 2352);
  for (const Engine& one : catalog().engines) {
    if (one.documented.rows.empty()) continue;  // checked mode only
    for (const bool quantized : {false, true}) {
      for (std::size_t number = 0; number < total; ++number) {
        Config own;
        std::size_t rest = number;
        for (const Field* field : fields) {
          own.choose(field->field, static_cast<std::int64_t>(rest % field->options.size()));
          rest /= field->options.size();
        }
        const Mapping mapping = map_config(own, one, {quantized, quantized ? "awq" : ""});
        if (mapping.decisions.size() != 4) FAIL_CHECK("a field without a decision");
        check_sound(mapping);
      }
    }
  }
}

TEST_CASE("every option of the unified form maps with every method on every engine") {
  const Field& method = field_info(FieldId::kMethod);
  for (const Engine& one : catalog().engines) {
    if (one.documented.rows.empty()) continue;  // checked mode only
    for (std::size_t m = 0; m < method.options.size(); ++m) {
      for (const Field& field : catalog().fields) {
        if (field.form != Form::kUnified || field.kind == FieldKind::kLabel) continue;
        const std::size_t options = field.kind == FieldKind::kOption ? field.options.size() : 2;
        for (std::size_t option = 0; option < options; ++option) {
          Config own;
          own.form = Form::kUnified;
          own.choose(FieldId::kMethod, static_cast<std::int64_t>(m));
          if (&field != &method) own.choose(field.field, static_cast<std::int64_t>(option));
          if (field.kind == FieldKind::kFraction) own[field.field].fraction = 0.5;
          check_sound(map_config(own, one, {}));
        }
      }
    }
  }
}

TEST_CASE("a plain config is passed on in order") {
  CHECK(line(map("vllm", R"({"gemm_dtype": "fp8", "kvcache_dtype": "fp8_e5m2"})")) ==
        "--quantization fp8 --dtype auto --kv-cache-dtype fp8_e5m2");
  CHECK(line(map("tensorrt_llm", R"({"gemm_dtype": "fp8", "attention_dtype": "fp8_block"})")) ==
        "--quant-algo FP8 --fmha-quant-algo FP8_BLOCK");
  CHECK(line(map("tensorrt_llm", "{}")).empty());
}

TEST_CASE("decisions say what was asked and what became of it") {
  const Mapping mapping = map("vllm", R"({"attention_dtype": "fp8", "kvcache_dtype": "int4"})");
  CHECK(warnings(mapping.diagnostics) ==
        Texts{"falls-back-to-default $.kvcache_dtype", "falls-back-to-gemm $.attention_dtype"});
  const Decision& gemm = decision(mapping, FieldId::kGemm);
  CHECK_FALSE(gemm.asked);
  CHECK(gemm.value == "auto");
  const Decision& attention = decision(mapping, FieldId::kAttention);
  CHECK(attention.asked);
  CHECK(attention.outcome == Outcome::kFallsBack);
  CHECK(attention.emitted.empty());
  CHECK(attention.why.message() == "Attention dtype not supported by vLLM: 'fp8' falls back to gemm_dtype 'auto'.");
  CHECK(decision(map("vllm", R"({"gemm_dtype": "fp8", "moe_dtype": "fp8"})"), FieldId::kMoe).why.code ==
        Code::kSameAsGemm);
}

TEST_CASE("a later field that sets the same argument replaces the earlier one in place") {
  const Mapping mapping = map("sglang", R"({"gemm_dtype": "fp8", "moe_dtype": "w4afp8"})");
  CHECK(line(mapping) ==
        "--quantization w4afp8 --dtype auto --kv-cache-dtype auto --moe-runner-backend flashinfer_mxfp4");
  const Decision& gemm = decision(mapping, FieldId::kGemm);
  CHECK(gemm.outcome == Outcome::kReplaced);
  CHECK(gemm.why.code == Code::kReplacedByField);
  REQUIRE(gemm.emitted.size() == 1);
  CHECK(gemm.emitted[0].name == "--dtype");
  CHECK(mapping.arguments[0].from == FieldId::kMoe);
}

TEST_CASE("dtype of the unified form is mapped last and keeps its place") {
  CHECK(line(map("vllm", R"({"dtype": "bfloat16", "quantization": {"method": "fp8"}, "attention": {"backend": "fa3"},
                             "parallelism": {"tensor_parallel_size": 2}})")) ==
        "--quantization fp8 --tensor-parallel-size 2 VLLM_ATTENTION_BACKEND=FLASH_ATTN --dtype bfloat16");
  const Mapping sizes = map("sglang", R"({"parallelism": {"tensor_parallel_size": 2}})");
  CHECK(std::get<std::int64_t>(sizes.arguments[0].value) == 2);
}

TEST_CASE("the fallback chain") {
  CHECK(chain("vllm", R"({"method": "awq"})") == "awq = awq");
  CHECK(chain("vllm", R"({"method": "awq", "enable_marlin": true})") == "awq = awq_marlin");
  CHECK(chain("tensorrt_llm", R"({"method": "awq", "enable_marlin": true})") == "awq = awq");
  CHECK(chain("tensorrt_llm", R"({"method": "awq_marlin"})") == "awq_marlin>awq = awq");
  CHECK(chain("tensorrt_llm", R"({"method": "gptq_marlin", "fallback_method": "fp8"})") == "gptq_marlin>gptq = gptq");
  CHECK(chain("vllm", R"({"method": "qoq"})") == "qoq>none = none");
  CHECK(chain("vllm", R"({"method": "qoq", "fallback_method": "w4a8"})") == "qoq>w4a8>none = none");
  CHECK(chain("vllm", R"({"method": "qoq", "fallback_method": "w4a8", "base_quantization": "awq"})") ==
        "qoq>w4a8>awq = awq");
  CHECK(chain("vllm", R"({"method": "qoq", "base_quantization": "gptq", "enable_marlin": true})") ==
        "qoq>gptq = gptq_marlin");
  CHECK(chain("tensorrt_llm", R"({"method": "marlin", "fallback_method": "awq_marlin"})") ==
        "marlin>awq_marlin>awq = awq");
  CHECK(chain("vllm", R"({"method": "qoq", "fallback_method": "qoq", "base_quantization": "none"})") ==
        "qoq>none = none");
  CHECK(chain("vllm", R"({"method": "none", "fallback_method": "awq"})") == "none = none");
}

TEST_CASE("a chain that was used is told once") {
  const Mapping mapping = map("vllm", R"({"quantization": {"method": "qoq", "fallback_method": "awq"}})");
  CHECK(line(mapping) == "--quantization awq --dtype auto");
  CHECK(warnings(mapping.diagnostics) == Texts{"method-falls-back $.quantization.method"});
  CHECK(mapping.diagnostics.all()[0].message() == "Method not supported by vLLM: qoq -> awq.");
  CHECK(decision(mapping, FieldId::kMethod).outcome == Outcome::kFallsBack);
  CHECK(decision(mapping, FieldId::kMethod).value == "qoq");
}

TEST_CASE("what does not fit the method is told, and dropped where it would act") {
  const Mapping variant = map("sglang", R"({"quantization": {"method": "awq", "fp8_variant": "w8a8_fp8"}})");
  CHECK(line(variant) == "--quantization awq --dtype auto");
  CHECK(warnings(variant.diagnostics) == Texts{"fp8-variant-ignored $.quantization.fp8_variant"});
  CHECK_FALSE(variant.config[FieldId::kFp8Variant].present);
  const Mapping bits = map("vllm", R"({"quantization": {"method": "fp8", "weight_bits": 4}})");
  CHECK(warnings(bits.diagnostics) == Texts{"inconsistent-with-method $.quantization.weight_bits"});
  CHECK(bits.config[FieldId::kWeightBits].present);
  CHECK(warnings(map("vllm", R"({"kv_cache": {"dtype": "auto", "fp8_format": "e4m3"}})").diagnostics) ==
        Texts{"fp8-format-ignored $.kv_cache.fp8_format"});
  CHECK(warnings(map("vllm", R"({"kv_cache": {"dtype": "fp8", "fp8_format": "e4m3"}})").diagnostics).empty());
}

TEST_CASE("a section that an engine lacks is told once") {
  const Mapping mapping =
      map("vllm", R"({"moe": {"quantization": "fp8", "expert_tp_size": 2, "expert_parallel_size": 2}})");
  CHECK(warnings(mapping.diagnostics) == Texts{"moe-section-ignored $.moe"});
  CHECK(line(mapping) == "--dtype auto");
}

TEST_CASE("a quantized model keeps its own method") {
  const ModelQuantization awq{true, "awq"};
  const Mapping mapping =
      map("vllm", R"({"gemm_dtype": "fp8", "attention_dtype": "fp8", "kvcache_dtype": "fp8"})", awq);
  CHECK(line(mapping) == "--dtype auto --kv-cache-dtype fp8");
  CHECK(warnings(mapping.diagnostics) ==
        Texts{"ignored-model-quantized $.gemm_dtype", "follows-quantized-model $.attention_dtype"});
  CHECK(mapping.diagnostics.all()[0].message() ==
        "Ignoring gemm_dtype='fp8': model already quantized with awq. Dynamic quantization applies to unquantized "
        "models only.");
  CHECK(line(map("sglang", R"({"moe_dtype": "mxfp4"})", awq)) ==
        "--dtype auto --kv-cache-dtype auto --moe-runner-backend flashinfer_mxfp4");
  const std::string_view unified = R"({"quantization": {"method": "fp8"}})";
  CHECK(line(map("vllm", unified, awq)) == line(map("vllm", unified)));
}

TEST_CASE("how a model's quantization is read") {
  const auto read = [](std::string_view text) {
    Diagnostics problems;
    const ModelQuantization model = read_model_quantization(json(text), problems);
    CHECK(model.quantized == !model.method.empty());
    return problems.all().empty() ? model.method : "? " + problems.all()[0].message();
  };
  for (const char* text :
       {"null", "\"\"", "\" \"", "\"none\"", "\"Auto\"", "\"unquantized\"", R"({"quant_method": "none"})"}) {
    CHECK(read(text).empty());
  }
  CHECK(read("\" AWQ \"") == "awq");
  CHECK(read(R"({"bits": 4, "quant_method": "GPTQ"})") == "gptq");
  for (const char* text : {"{}", "[]", "1", "true", R"({"quant_method": null})", R"({"quant_method": 4})"}) {
    CHECK(read(text).rfind("? Cannot read a quantization method from ", 0) == 0);
  }
}

TEST_CASE("a model's method is cut for messages, on a character") {
  for (std::size_t shift = 0; shift < 4; ++shift) {
    std::string name(shift, 'a');
    while (name.size() < 200) name += "€";
    Diagnostics problems;
    const ModelQuantization model = read_model_quantization(Value::text(name), problems);
    CHECK(model.quantized);
    CHECK(model.method.size() <= 60);
    CHECK(is_valid_utf8(model.method));
  }
}

TEST_CASE("the documented sense of support") {
  const auto reasons = [](std::string_view engine_id, std::string_view text) {
    return unsupported_by(config(text), engine(engine_id));
  };
  CHECK(reasons("vllm", R"({"quantization": {"method": "qoq"}})") == Texts{"$.quantization.method"});
  CHECK(reasons("vllm", R"({"quantization": {"method": "qoq"}, "moe": {"quantization": "fp8"}})") ==
        Texts{"$.quantization.method", "$.moe"});
  CHECK(reasons("tensorrt_llm", R"({"quantization": {"method": "gptq_marlin"}})") == Texts{"$.quantization.method"});
  CHECK(reasons("sglang", R"({"quantization": {"method": "qoq"}, "moe": {"quantization": "fp8"}})").empty());
  for (const Engine& one : catalog().engines) CHECK(reasons(one.id, R"({"gemm_dtype": "int8"})").empty());
}

TEST_CASE("arguments that no release accepts are told together, last") {
  Mapping mapping = map("vllm", R"({"gemm_dtype": "int8", "kvcache_dtype": "fp16", "moe_dtype": "fp8"})");
  report_never_accepted(mapping);
  CHECK(warnings(mapping.diagnostics) == Texts{"falls-back-to-gemm $.moe_dtype", "never-accepted $"});
  const std::string message = mapping.diagnostics.all().back().message();
  CHECK(message.find("--quantization int8 (it takes ") != std::string::npos);
  CHECK(message.find("--kv-cache-dtype fp16 (it takes ") != std::string::npos);
  Mapping fine = map("vllm", "{}");
  report_never_accepted(fine);
  CHECK(fine.diagnostics.all().empty());
}
