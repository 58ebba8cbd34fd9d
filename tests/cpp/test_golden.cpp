// Every case of tests/golden, through the same calls that the bindings make. The Python suite reads the same files.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "quantmap/mapping/merge.hpp"
#include "support.hpp"

using namespace quantmap;
using quantmap::testing::json;
using quantmap::testing::listed;
using quantmap::testing::Texts;

namespace {

// The member, or null.
const Value& part(const Value& object, std::string_view key) {
  static const Value kNull;
  const Value* found = object.find(key);
  return found == nullptr ? kNull : *found;
}

std::string text_at(const Value& object, std::string_view key) { return part(object, key).as_text(); }

Texts words(const Value& list) {
  Texts out;
  for (const Value& item : list.items()) out.push_back(item.as_text());
  return out;
}

Texts sorted(Texts texts) {
  std::sort(texts.begin(), texts.end());
  return texts;
}

// [["code", "$.path"], ...] as "code $.path".
Texts pairs(const Value& list) {
  Texts out;
  for (const Value& item : list.items())
    out.push_back(item.items().at(0).as_text() + " " + item.items().at(1).as_text());
  return out;
}

Texts codes(const Diagnostics& diagnostics, Severity severity) {
  Texts out = listed(diagnostics, severity);
  for (std::string& item : out) item.erase(item.find(' '));
  return out;
}

Value as_value(const ArgumentValue& value, bool sizes_stay_integers) {
  if (const bool* flag = std::get_if<bool>(&value)) return Value::boolean(*flag);
  if (sizes_stay_integers && std::holds_alternative<std::int64_t>(value)) return Value::integer(to_text(value));
  return Value::text(to_text(value));
}

// What a call gave, as JSON-like data of the same shape as `expect`.
struct Answer {
  Diagnostics problems;
  Value value;
  Value args = Value::array();
  Value env = Value::object();
  bool mapped = false;

  void take(const std::vector<Argument>& arguments, bool sizes_stay_integers) {
    mapped = true;
    for (const Argument& argument : arguments) {
      Value given = as_value(argument.value, sizes_stay_integers);
      if (argument.kind == ChannelKind::kEnv) {
        env.set(argument.flag, std::move(given));
        continue;
      }
      Value pair = Value::array();
      pair.append(Value::text(argument.flag));
      pair.append(std::move(given));
      args.append(std::move(pair));
    }
  }
};

void run_launch(const Value& call, Answer& answer, bool for_engine) {
  LaunchRequest request;
  request.runtime = part(call, for_engine ? "engine" : "runtime");
  request.quant_config = part(call, "quant_config");
  request.user_parameters = part(call, "user_parameters");
  request.model_quantization = part(call, "model_quantization");
  const auto mapping = launch(request, answer.problems);
  CHECK(mapping.has_value() == !answer.problems.has_errors());
  if (!mapping) return;
  answer.take(mapping->arguments, for_engine);
  answer.problems = mapping->diagnostics;
}

std::optional<Config> resolved(const Value& config, Answer& answer) {
  auto out = resolve(config, Path("$"), answer.problems);
  if (out) answer.value = to_value(*out);
  return out;
}

void run_merge(const Value& call, Answer& answer) {
  const Engine* engine = nullptr;
  std::string version;
  if (!part(call, "runtime").is_null()) engine = read_runtime(part(call, "runtime"), version, answer.problems);
  Value derived = Value::object();
  for (const Value& pair : part(call, "quant_args").items()) {
    derived.set(pair.items().at(0).as_text(), pair.items().at(1));
  }
  std::vector<Argument> arguments;
  merge(arguments, derived, nullptr, Path("quant_args"), answer.problems);
  for (Argument& argument : arguments) {
    argument.from = static_cast<FieldId>(0);
    const Value& given = part(derived, argument.flag);  // sizes stay integers, as in the binding
    if (given.kind() == Value::Kind::kInteger) argument.value = std::int64_t{std::stoll(given.as_text())};
  }
  merge(arguments, part(call, "user_parameters"), engine, Path("user_parameters"), answer.problems);
  if (answer.problems.has_errors()) return;
  answer.take(arguments, true);
}

Answer run(const std::string& function, const Value& call) {
  Answer answer;
  if (function == "get_runtime_args" || function == "map_to_engine_args") {
    run_launch(call, answer, function == "map_to_engine_args");
  } else if (function == "expand_preset") {
    Value config = Value::object();
    config.set("preset", part(call, "preset"));
    (void)resolved(config, answer);
  } else if (function == "resolve_quant_config") {
    (void)resolved(part(call, "quant_config"), answer);
  } else if (function == "validate_quant_config") {
    answer.value = Value::boolean(resolved(part(call, "quant_config"), answer).has_value());
  } else if (function == "validate_config_for_engine") {
    std::string version;
    const Engine* engine = read_runtime(part(call, "engine"), version, answer.problems);
    const auto config = resolved(part(call, "quant_config"), answer);
    if (engine != nullptr && config) answer.value = Value::boolean(unsupported_by(*config, *engine).empty());
  } else if (function == "should_apply_dynamic_fp8") {
    Value config = Value::object();
    config.set("gemm_dtype", part(call, "gemm_dtype"));
    const auto settings = resolved(config, answer);
    const ModelQuantization model = read_model_quantization(part(call, "model_quantization"), answer.problems);
    if (settings) {
      const std::string asked = spelled(FieldId::kGemm, effective(*settings, FieldId::kGemm));
      answer.value = Value::boolean(asked == "fp8" && !model.quantized);
    }
  } else if (function == "merge_parameters") {
    run_merge(call, answer);
  } else {
    FAIL("unknown function " << function);
  }
  return answer;
}

void check(const Value& item) {
  const Value& call = part(item, "call");
  const Value& expect = part(item, "expect");
  const std::string function = text_at(call, "function");
  const Answer answer = run(function, call);
  const Texts wrong = listed(answer.problems, Severity::kError);

  if (const Value* error = expect.find("error")) {
    CHECK(sorted(wrong) == sorted(pairs(*error)));  // in any order
    CHECK_FALSE(answer.mapped);
    return;
  }
  const bool only_judges = function == "validate_quant_config";
  if (!only_judges) CHECK(wrong == Texts{});
  if (const Value* value = expect.find("value")) CHECK(write_json(answer.value) == write_json(*value));
  if (const Value* found = expect.find("codes")) {
    CHECK(sorted(codes(answer.problems, Severity::kError)) == sorted(words(*found)));
  }
  if (const Value* args = expect.find("args")) {
    CHECK(write_json(answer.args) == write_json(*args));
    CHECK(write_json(answer.env) == (expect.find("env") == nullptr ? "{}" : write_json(part(expect, "env"))));
  }
  if (const Value* warned = expect.find("warnings"))
    CHECK(codes(answer.problems, Severity::kWarning) == words(*warned));
}

}  // namespace

TEST_CASE("golden files") {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(QUANTMAP_GOLDEN_DIR)) {
    // What needs a release is judged elsewhere: test_checked.cpp, tests/python/test_checked_golden.py.
    const bool checked = entry.path().filename().string().rfind("checked_", 0) == 0;
    if (entry.path().extension() == ".json" && !checked) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  REQUIRE_FALSE(files.empty());
  Texts ids;
  for (const auto& file : files) {
    std::ifstream stream(file, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    CAPTURE(file.filename().string());
    const Value document = json(text);
    const Value& cases = part(document, "cases");
    CHECK_FALSE(cases.items().empty());
    for (const Value& item : cases.items()) {
      ids.push_back(text_at(item, "id"));
      CAPTURE(ids.back());
      check(item);
    }
  }
  MESSAGE(ids.size() << " golden cases in " << files.size() << " files");
  std::sort(ids.begin(), ids.end());
  CHECK_MESSAGE(std::adjacent_find(ids.begin(), ids.end()) == ids.end(), "two cases have one id");
}
