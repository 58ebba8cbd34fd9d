// The proof's own instruments: a planted mistake of every kind is noticed, and classes keep what differs apart.
#include <algorithm>

#include "proof.hpp"
#include "quantmap/config/checkpoint_kind.hpp"
#include "support.hpp"

using namespace quantmap;
using namespace quantmap::proof;
using quantmap::testing::config;
using quantmap::testing::Texts;

namespace {

const Engine& vllm() { return *find_engine("vllm"); }

Place place_of(std::string_view version, std::size_t kind = 0, std::size_t gpu = 0) {
  Diagnostics problems;
  const auto release = find_release(vllm(), version, Path("v"), problems);
  REQUIRE(release.has_value());
  return {static_cast<std::uint16_t>(*release), static_cast<std::uint8_t>(kind), static_cast<std::uint8_t>(gpu), true};
}

Mapping good(const Place& place) {
  return map_config(config(R"({"gemm_dtype": "fp8", "kvcache_dtype": "fp8"})"), vllm(), model_of(place.kind),
                    situation_at(place));
}

Texts found(const Mapping& mapping, const Place& place, bool arguments_only = false) {
  Texts out;
  const Grounds grounds(vllm());
  for (const Problem& problem : problems_of(mapping, place, grounds.at(place), arguments_only))
    out.push_back(problem.what);
  return out;
}

bool has(const Texts& texts, std::string_view start) {
  return std::any_of(texts.begin(), texts.end(),
                     [start](const std::string& text) { return text.rfind(start, 0) == 0; });
}

Argument& argument(Mapping& mapping, std::string_view flag) {
  const auto it = std::find_if(mapping.arguments.begin(), mapping.arguments.end(),
                               [flag](const Argument& item) { return item.flag == flag; });
  REQUIRE(it != mapping.arguments.end());
  return *it;
}

}  // namespace

TEST_CASE("a model of each checkpoint kind is read as that kind") {
  for (std::size_t kind = 1; kind < catalog().checkpoint_kinds.size(); ++kind) {
    CHECK(find_checkpoint_kind(model_of(kind).method) == kind);
  }
}

TEST_CASE("a good mapping has no problem, a planted one is found") {
  const Place place = place_of("0.10.2");
  REQUIRE(found(good(place), place) == Texts{});

  Mapping mapping = good(place);
  argument(mapping, "--dtype").flag = "--no-such-flag";
  CHECK(has(found(mapping, place), "unknown flag: --no-such-flag"));

  mapping = good(place);
  argument(mapping, "--kv-cache-dtype").value = std::string("fp7");
  CHECK(has(found(mapping, place), "--kv-cache-dtype fp7 does not take this value"));

  mapping = good(place);
  argument(mapping, "--kv-cache-dtype").value = std::string("fp8_e5m2");
  CHECK(has(found(mapping, place), "the target kv is not what the launch says"));
  CHECK(has(found(mapping, place), "the rule "));

  mapping = good(place);
  mapping.arguments.push_back(mapping.arguments.front());
  CHECK(has(found(mapping, place), "emitted twice"));

  mapping = good(place);
  mapping.decisions.pop_back();
  CHECK(has(found(mapping, place), "not one decision per field"));

  mapping = good(place);
  mapping.decisions[0].outcome = Outcome::kCannotServe;
  CHECK(has(found(mapping, place), "cannot-serve does not come from a rule"));

  mapping = good(place);
  mapping.decisions[0].outcome = Outcome::kDropped;
  CHECK(has(found(mapping, place), "dropped without a reason"));

  mapping = good(place);
  mapping.decisions[0].why.context = {{"reason", "the catalogue has no row for it"}};
  CHECK(has(found(mapping, place), "no row: gemm fp8"));

  mapping = good(place);
  LaunchFile file;
  file.name = "file.yaml";
  file.text = "a: 1\n";
  mapping.files.push_back(file);
  CHECK(has(found(mapping, place), "a file that no argument names"));
  CHECK(has(found(mapping, place, true), "a file in arguments alone"));
}

TEST_CASE("a variable is found out") {
  const Place place = place_of("0.10.2");
  Mapping mapping = good(place);
  Argument variable;
  variable.kind = ChannelKind::kEnv;
  variable.flag = "NO_SUCH_VARIABLE";
  variable.value = std::string("1");
  mapping.arguments.push_back(variable);
  CHECK(has(found(mapping, place, true), "a variable in arguments alone"));
  CHECK(has(found(mapping, place), "unknown variable"));
}

TEST_CASE("every place and every point is in exactly one class") {
  auto places = places_of(vllm(), true);
  const auto at_least = [](const Engine& engine, std::size_t models) {
    return engine.surface.releases.size() * catalog().checkpoint_kinds.size() * catalog().gpu_classes.size() * models;
  };
  const std::size_t kinds = catalog().model_kinds.size();
  CHECK(places.size() > at_least(vllm(), kinds));  // dtypes and declared KV caches beside kinds of attention
  const Engine& sglang = *find_engine("sglang");
  CHECK(places_of(sglang, true).size() > at_least(sglang, kinds));
#ifdef QUANTMAP_SANITIZED  // which makes it eight times as slow
  for (std::size_t i = 0; i < places.size() / 8; ++i) places[i] = places[i * 8];
  places.resize(places.size() / 8);
#endif
  const Grounds grounds(vllm());
  const auto classes = place_classes(vllm(), grids().front(), grounds, places);
  std::size_t members = 0;
  for (const PlaceClass& one : classes) members += one.members.size();
  CHECK(members == places.size());
  std::size_t combinations = 1;
  const Grid four = grids().front();
  for (const Axis& axis : four.axes) combinations *= axis.points.size();
  CHECK(combinations == 2352);
  for (const auto& leaders : point_classes(vllm(), four, classes.front())) {
    for (const std::size_t leader : leaders) CHECK(leaders[leader] == leader);
  }
}

TEST_CASE("counts are written for the newest release, and compared line by line") {
  CountTable table;
  auto& counts = table["vllm"]["four_field"]["awq"];
  counts.resize(vllm().surface.releases.size());
  counts.back()[0] = 5;
  const std::string before = write_counts(table);
  CHECK(before.find("\"awq\": {\"applied\": 5}") != std::string::npos);
  CHECK(quantmap::testing::json(before).is_object());
  CHECK(compare_counts(before, before).empty());
  counts.front()[0] = 4;
  CHECK(compare_counts(before, write_counts(table)).empty());
  counts.back()[static_cast<std::size_t>(Outcome::kDropped)] = 1;
  CHECK(compare_counts(before, write_counts(table)).size() == 2);
  CHECK(compare_counts(before, write_counts(table), "sglang").size() == 1);
}
