// Arbitrary bytes as JSON, and what they say as a config, as parameters and as a model, on every engine.
//
// A text that is an object with the names of launch()'s arguments is taken as a whole call.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <set>

#include "quantmap/base/json_io.hpp"
#include "quantmap/base/text.hpp"
#include "quantmap/catalog/codes.hpp"
#include "quantmap/config/resolve.hpp"
#include "quantmap/mapping/launch.hpp"
#include "quantmap/mapping/merge.hpp"

using namespace quantmap;

namespace {

void require(bool holds, const char* what, std::string_view detail = {}) {
  if (holds) return;
  std::fprintf(stderr, "invariant broken: %s: %.*s\n", what, static_cast<int>(detail.size()), detail.data());
  std::abort();
}

constexpr std::size_t kLongestPath = 16384;     // kMaxDepth keys, each cut
constexpr std::size_t kLongestMessage = 16384;  // values are cut, lists of known names are not endless

void check_words(const Diagnostic& item) {
  for (const std::string& text : {item.path, item.message(), item.hint()}) {
    require(is_valid_utf8(text), "diagnostic is UTF-8", item.text().code);
    require(text.find('\0') == std::string::npos, "diagnostic without NUL", item.text().code);
  }
  require(!item.path.empty() && item.path.size() <= kLongestPath, "path", item.text().code);
  require(!item.message().empty(), "message", item.text().code);
  if (item.code != Code::kNeverAccepted) {  // lists arguments as they are
    require(item.message().size() <= kLongestMessage, "message is short", item.text().code);
  }
}

void check_problems(const Diagnostics& problems) {
  for (const Diagnostic& item : problems.all()) check_words(item);
}

void check_argument(const Argument& argument) {
  const std::string text = to_text(argument.value);
  require(text.find('\0') == std::string::npos, "no NUL", argument.flag);
  require(text.size() <= kMaxArgument, "length", argument.flag);
  require(is_valid_utf8(text), "argument is UTF-8", argument.flag);
  require(is_parameter_name(argument.flag), "flag", argument.flag);
  require((argument.flag[0] == '-') == (argument.kind == ChannelKind::kFlag), "dash", argument.flag);
}

void check_mapping(const Mapping& mapping) {
  std::set<std::string> identities;
  for (const Argument& argument : mapping.arguments) {
    check_argument(argument);
    const std::string identity = flag_identity(argument.flag, mapping.engine, &mapping.deployment);
    require(identities.insert(identity).second, "given once", argument.flag);
  }
  for (const Diagnostic& item : mapping.diagnostics.all()) {
    check_words(item);
    // Checked mode also has notes about its ground, and refusals of what the user gave.
    require(mapping.deployment.checked || item.text().severity == Severity::kWarning, "warning", item.text().code);
  }
  for (const Decision& decision : mapping.decisions) {
    require(!decision.why.path.empty(), "every decision has a row", decision.value);
    require(is_valid_utf8(decision.why.message()), "decision is UTF-8", decision.value);
  }
}

void check_launch(const LaunchRequest& request) {
  Diagnostics problems;
  const auto mapping = launch(request, problems);
  require(mapping.has_value() != problems.has_errors(), "an error or a mapping");
  check_problems(problems);
  if (mapping) check_mapping(*mapping);
}

// A config that resolves says the same when it is resolved again. (A unified config that sets nothing is written as an
// empty object, which has no form: it is let off.)
void check_resolve(const Value& value) {
  Diagnostics problems;
  const auto config = resolve(value, Path("$"), problems);
  require(config.has_value() != problems.has_errors(), "an error or a config");
  check_problems(problems);
  if (!config) return;
  const std::string text = write_json(to_value(*config));
  if (text == "{}") return;
  const auto again = resolve(to_value(*config), Path("$"), problems);
  require(again.has_value(), "resolves again", text);
  require(write_json(to_value(*again)) == text, "resolves to itself", text);
}

void check_round_trip(const Value& value) {
  const std::string text = write_json(value);
  Diagnostics problems;
  const auto again = read_json(text, Path("$"), problems);
  require(again.has_value(), "what is written reads back", text);
  require(write_json(*again) == text, "and is the same", text);
}

Value part(const Value& value, std::string_view key) {
  const Value* found = value.find(key);
  return found == nullptr ? Value() : *found;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Diagnostics problems;
  const auto value = read_json(text, Path("$"), problems);
  require(value.has_value() != problems.has_errors(), "an error or a value");
  check_problems(problems);
  if (!value) return 0;
  check_round_trip(*value);
  check_resolve(*value);

  LaunchRequest call;
  call.runtime = part(*value, "runtime");
  call.quant_config = part(*value, "quant_config");
  call.user_parameters = part(*value, "user_parameters");
  call.model_quantization = part(*value, "model_quantization");
  call.engine_version = part(*value, "engine_version");
  call.gpu = part(*value, "gpu");
  call.image_tag = part(*value, "runtime_image_tag");
  if (const Value* policy = value->find("policy")) call.policy = *policy;
  check_launch(call);
  for (const Engine& engine : catalog().engines) {
    if (engine.documented.rows.empty()) continue;  // checked mode only: it has notes and files
    call.runtime = Value::text(std::string(engine.id));
    check_launch(call);
    LaunchRequest request;
    request.runtime = call.runtime;
    request.quant_config = *value;
    check_launch(request);
    request.model_quantization = *value;
    check_launch(request);
    request.quant_config = Value();
    request.user_parameters = *value;
    check_launch(request);
    request.quant_config = *value;
    check_launch(request);
  }
  return 0;
}
