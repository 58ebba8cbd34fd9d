// The hand-checked cases of checked mode, and the policies.
#include <fstream>
#include <iterator>

#include "quantmap/mapping/canonical.hpp"
#include "quantmap/mapping/choose.hpp"
#include "quantmap/mapping/render.hpp"
#include "support.hpp"

using namespace quantmap;
using quantmap::testing::errors;
using quantmap::testing::json;
using quantmap::testing::line;
using quantmap::testing::Texts;
using quantmap::testing::warnings;

namespace {

// The member, or null.
const Value& part(const Value& object, std::string_view key) {
  static const Value kNull;
  const Value* found = object.find(key);
  return found == nullptr ? kNull : *found;
}

std::string key_of(const Decision& decision) {
  const Field& field = field_info(decision.field);
  return field.section.empty() ? std::string(field.key) : std::string(field.section) + "." + std::string(field.key);
}

void run(const Value& given, const std::string& where) {
  const Value call = part(given, "call");
  LaunchRequest request;
  request.runtime = part(call, "runtime");
  request.quant_config = part(call, "quant_config");
  request.user_parameters = part(call, "user_parameters");
  request.model_quantization = part(call, "model_quantization");
  request.engine_version = part(call, "engine_version");
  request.gpu = part(call, "gpu");
  request.checkpoint = part(call, "checkpoint");
  request.activations = part(call, "activations");
  Diagnostics problems;
  const auto mapping = launch(request, problems);
  REQUIRE_MESSAGE(mapping.has_value(), where);
  const Value expect = part(given, "expect");
  std::string wanted;
  for (const Value& item : part(expect, "args").items()) {
    const Value& value = item.items().at(1);
    wanted += (wanted.empty() ? "" : " ") + item.items().at(0).as_text() + " " + value.as_text();
  }
  std::string got;
  std::size_t variables = 0;
  for (const Argument& argument : mapping->arguments) {
    if (argument.kind == ChannelKind::kEnv) {
      ++variables;
      CHECK_MESSAGE(part(part(expect, "env"), argument.flag).as_text() == to_text(argument.value), where);
    } else {
      got += (got.empty() ? "" : " ") + argument.flag + " " + to_text(argument.value);
    }
  }
  CHECK_MESSAGE(got == wanted, where);
  CHECK_MESSAGE(variables == part(expect, "env").members().size(), where);
  CHECK_MESSAGE(mapping->files.size() == part(expect, "files").members().size(), where);
  for (const LaunchFile& file : mapping->files) {
    CHECK_MESSAGE(part(part(expect, "files"), file.name).as_text() == file.text, where);
  }
  for (const Value::Member& member : part(expect, "outcomes").members()) {  // clang 14: no bindings in a lambda
    const std::string& key = member.first;
    for (const Decision& decision : mapping->decisions) {
      if (key_of(decision) != key) continue;
      CHECK_MESSAGE(name_of(decision.outcome) == member.second.as_text(), where << " " << key);
    }
  }
}

LaunchRequest request(std::string_view runtime, std::string_view config, std::string_view policy) {
  LaunchRequest out;
  out.runtime = Value::text(std::string(runtime));
  out.quant_config = json(config);
  out.policy = Value::text(std::string(policy));
  return out;
}

}  // namespace

TEST_CASE("hand-checked cases") {
  for (const Engine& engine : catalog().engines) {
    const std::string name = std::string(QUANTMAP_GOLDEN_DIR) + "/checked_" + std::string(engine.id) + ".json";
    std::ifstream in(name, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    REQUIRE_MESSAGE(!text.empty(), name);
    const Value whole = json(text);
    const auto& cases = part(whole, "cases").items();
    CHECK_MESSAGE(cases.size() >= 30, name);
    for (const Value& item : cases) run(item, std::string(engine.id) + " " + part(item, "id").as_text());
  }
}

TEST_CASE("policies") {
  constexpr std::string_view kInt4 = R"({"kvcache_dtype": "int4"})";
  Diagnostics strict;
  CHECK_FALSE(launch(request("sglang@0.5.2", kInt4, "strict"), strict).has_value());
  CHECK(errors(strict) == Texts{"refused-by-policy $.kvcache_dtype"});

  Diagnostics exact;
  CHECK(launch(request("sglang@0.5.6", R"({"kvcache_dtype": "bfloat16"})", "strict"), exact).has_value());

  Diagnostics literal;
  const auto documented = launch(request("vllm", R"({"gemm_dtype": "int8"})", "degrade"), literal);
  const auto same = launch(request("vllm@latest", R"({"gemm_dtype": "int8"})", "literal"), literal);
  REQUIRE(documented.has_value());
  REQUIRE(same.has_value());
  CHECK(line(*same) == line(*documented));
  CHECK(errors(same->diagnostics).size() == 1);
}

TEST_CASE("arguments alone name the way to the rest") {
  LaunchRequest asked = request("tensorrt_llm@1.0.0", R"({"kvcache_dtype": "fp8"})", "degrade");
  Diagnostics problems;
  const auto whole = launch(asked, problems);
  REQUIRE(whole.has_value());
  CHECK(whole->files.size() == 1);
  asked.arguments_only = true;
  const auto words = launch(asked, problems);
  REQUIRE(words.has_value());
  CHECK(words->files.empty());
  CHECK(line(*words).empty());
  CHECK(quantmap::testing::warnings(words->diagnostics).front() == "needs-explain $.kvcache_dtype");
}

TEST_CASE("a way is one of the release's own: each target of each engine in each release, against a slow reading") {
  const auto has = [](const Engine& engine, const Channel& route, ReleaseNumber release) {
    if (route.kind == ChannelKind::kEnv) {
      for (const Variable& variable : engine.surface.variables) {
        if (variable.name == route.name && variable.since <= release && release < variable.until) return true;
      }
      return false;
    }
    if (route.flag < 0) return false;
    for (const FlagInterval& item : engine.surface.flags[static_cast<std::size_t>(route.flag)].intervals) {
      if (item.since <= release && release < item.until) return !item.refused;
    }
    return false;
  };
  std::size_t closed = 0;
  for (const Engine& engine : catalog().engines) {
    for (ReleaseNumber release = 0; release < engine.surface.releases.size(); ++release) {
      Deployment deployment;
      deployment.checked = true;
      deployment.release = release;
      const Chooser chooser(engine, deployment);
      for (const Target& target : engine.checked.targets) {
        const Channel* expected = nullptr;
        for (const Channel& route : target.routes) {
          if (expected == nullptr && has(engine, route, release)) expected = &route;
          closed += route.kind == ChannelKind::kEnv && !has(engine, route, release) ? 1 : 0;
        }
        CHECK(chooser.find_route(target) == expected);
      }
    }
  }
  CHECK(closed > 0);
}

TEST_CASE("arguments alone lean on no variable and no file of their own: such a setting is dropped, and told") {
  const Engine* known = find_engine("vllm");
  REQUIRE(known != nullptr);
  Engine engine = *known;
  const auto last = static_cast<ReleaseNumber>(engine.surface.releases.size() - 1);
  const auto variable = std::find_if(engine.surface.variables.begin(), engine.surface.variables.end(),
                                     [last](const Variable& item) { return covers(item.since, item.until, last); });
  REQUIRE(variable != engine.surface.variables.end());
  Diagnostics problems;
  const auto config = resolve(json(R"({"kvcache_dtype": "fp8"})"), Path("$"), problems);
  REQUIRE(config.has_value());
  for (const ChannelKind kind : {ChannelKind::kFlag, ChannelKind::kEnv}) {
    std::vector<Target> targets(known->checked.targets.begin(), known->checked.targets.end());
    const Channel route{ChannelKind::kEnv, variable->name, {}, {}, -1};
    for (Target& target : targets) {
      if (target.id == "kv" && kind == ChannelKind::kEnv) target.routes = {&route, 1};
    }
    engine.checked.targets = {targets.data(), targets.size()};
    Deployment deployment;
    deployment.checked = true;
    deployment.release = last;
    for (const bool alone : {false, true}) {
      deployment.arguments_only = alone;
      const Mapping mapping = map_config(*config, engine, {}, deployment);
      const auto by_variable = [](const Argument& argument) { return argument.kind == ChannelKind::kEnv; };
      const bool used = std::any_of(mapping.arguments.begin(), mapping.arguments.end(), by_variable);
      CHECK(used == (kind == ChannelKind::kEnv && !alone));
      const auto dropped = [](const Decision& decision) { return decision.outcome == Outcome::kDropped; };
      const bool told = std::any_of(mapping.decisions.begin(), mapping.decisions.end(), dropped);
      CHECK(told == (kind == ChannelKind::kEnv && alone));
      const auto warned = warnings(mapping.diagnostics);
      CHECK(std::count_if(warned.begin(), warned.end(), [](const std::string& text) {
              return text.ends_with(" $.kvcache_dtype");
            }) == (told ? 1 : 0));
    }
  }
}

TEST_CASE("of several flags that a release lacks, the one that came first is named") {
  const Engine* known = find_engine("vllm");
  REQUIRE(known != nullptr);
  const auto& flags = known->surface.flags;
  int early = -1;
  int late = -1;
  for (std::size_t i = 0; i < flags.size(); ++i) {
    const ReleaseNumber since = flags[i].intervals.front().since;
    if (since == 0) continue;
    if (early < 0) {
      early = static_cast<int>(i);
    } else if (late < 0 && since > flags[static_cast<std::size_t>(early)].intervals.front().since) {
      late = static_cast<int>(i);
    }
  }
  REQUIRE(late > 0);
  const auto channel = [&flags](int flag) {
    return Channel{ChannelKind::kFlag, flags[static_cast<std::size_t>(flag)].name, {}, {}, flag};
  };
  Diagnostics problems;
  const auto config = resolve(json(R"({"kvcache_dtype": "fp8"})"), Path("$"), problems);
  REQUIRE(config.has_value());
  Engine engine = *known;
  Deployment deployment;
  deployment.checked = true;
  for (const auto& [first, second] : {std::pair(early, late), std::pair(late, early)}) {
    const Channel routes[] = {channel(first), channel(second)};
    std::vector<Target> targets(known->checked.targets.begin(), known->checked.targets.end());
    for (Target& target : targets) {
      if (target.id == "kv") target.routes = routes;
    }
    engine.checked.targets = {targets.data(), targets.size()};
    const Mapping mapping = map_config(*config, engine, {}, deployment);
    const auto dropped = std::find_if(mapping.decisions.begin(), mapping.decisions.end(),
                                      [](const Decision& item) { return item.outcome == Outcome::kDropped; });
    REQUIRE(dropped != mapping.decisions.end());
    const std::string wanted = "has no " + std::string(flags[static_cast<std::size_t>(early)].name) + " ";
    CHECK_MESSAGE(dropped->why.message().find(wanted) != std::string::npos, dropped->why.message());
  }
}

TEST_CASE("a word behind a switch is no switch, and a switch that is on by itself is nothing") {
  std::size_t on = 0;
  for (const Engine& engine : catalog().engines) {
    for (ReleaseNumber release = 0; release < engine.surface.releases.size(); release += 7) {
      Deployment deployment;
      deployment.checked = true;
      deployment.release = release;
      Canonicalizer effects(engine, deployment, false);
      for (const FlagHistory& flag : engine.surface.flags) {
        const FlagInterval* interval = interval_at(flag, release);
        if (interval == nullptr || interval->type != FlagType::kBool || interval->fallback.empty()) continue;
        const std::string identity = effects.canonical_flag(std::string(flag.name));
        const auto known = find_flag(engine.surface, identity, release);
        if (!known || known->interval != interval) continue;
        CHECK_FALSE(effects.value(identity, std::string(interval->fallback)).empty());
        if (interval->fallback != "true") continue;
        CHECK(effects.value(identity, true).empty());
        ++on;
      }
    }
  }
  CHECK(on > 0);
}

TEST_CASE("minus zero is zero") {
  const Engine* engine = find_engine("vllm");
  REQUIRE(engine != nullptr);
  Deployment deployment;
  deployment.checked = true;
  deployment.release = static_cast<ReleaseNumber>(engine->surface.releases.size() - 1);
  Canonicalizer effects(*engine, deployment, true);
  std::size_t seen = 0;
  for (const FlagHistory& flag : engine->surface.flags) {
    const FlagInterval* interval = interval_at(flag, deployment.release);
    if (interval == nullptr || interval->type != FlagType::kFloat) continue;
    const std::string identity = effects.canonical_flag(std::string(flag.name));
    CHECK(effects.value(identity, std::string("-0.0")) == effects.value(identity, std::string("0")));
    ++seen;
  }
  CHECK(seen > 0);
}
