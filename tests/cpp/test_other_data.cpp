// What the core does with data that the catalogue could hold and does not hold today.
#include <algorithm>
#include <array>

#include "quantmap/deployment/shapes.hpp"
#include "quantmap/mapping/choose.hpp"
#include "support.hpp"

using namespace quantmap;

namespace {

const Engine& engine_of(std::string_view id) {
  const Engine* engine = find_engine(id);
  REQUIRE(engine != nullptr);
  return *engine;
}

Deployment at(const Engine& engine, std::string_view version) {
  Diagnostics problems;
  const auto release = find_release(engine, version, Path("$"), problems);
  REQUIRE(release.has_value());
  Deployment out;
  out.checked = true;
  out.release = *release;
  return out;
}

Channel flag(const Engine& engine, std::string_view name) {
  const auto& all = engine.surface.flags;
  const auto found =
      std::find_if(all.begin(), all.end(), [name](const FlagHistory& item) { return item.name == name; });
  REQUIRE(found != all.end());
  return {ChannelKind::kFlag, name, {}, {}, static_cast<int>(found - all.begin())};
}

}  // namespace

TEST_CASE("a flag that a release has only to refuse it is no way to set anything") {
  const Engine& engine = engine_of("sglang");
  const std::array<Channel, 2> routes{flag(engine, "--enable-flashmla"), flag(engine, "--attention-backend")};
  const Target target{"attention", {routes.data(), routes.size()}};
  const auto way = [&](std::string_view version) {
    const Deployment deployment = at(engine, version);
    const Channel* route = Chooser(engine, deployment).find_route(target);
    return route == nullptr ? std::string_view() : route->name;
  };
  CHECK(way("0.4.5") == "--enable-flashmla");
  CHECK(way("0.4.6") == "--attention-backend");  // the first is there, as one that raises
}

TEST_CASE("stages share layers, at most one each") {
  Engine engine = engine_of("vllm");
  REQUIRE_FALSE(engine.checked.shapes.empty());
  Shape stages = engine.checked.shapes.front();
  stages.size = ShapeSize::kLayers;
  stages.over = ShapeOver::kPp;
  stages.unit = ShapeUnit::kOne;
  engine.checked.shapes = {&stages, 1};
  auto facts = std::make_shared<ModelFacts>();
  facts->has_config = true;
  facts->architecture.layers.resize(4);
  Deployment deployment = at(engine, "0.20.0");
  deployment.facts = facts;
  TargetValues values(engine.checked.targets.size());
  std::string& pp = values[static_cast<std::size_t>(engine.checked.parallel.pp)];
  for (const char* few : {"", "1", "2", "3", "4"}) {
    pp = few;
    CHECK(shape_problems(engine, deployment, values).empty());
  }
  pp = "5";
  const std::vector<ShapeProblem> problems = shape_problems(engine, deployment, values);
  REQUIRE(problems.size() == 1);
  CHECK(problems.front().reason == "4 layers for 5 stages");
}
