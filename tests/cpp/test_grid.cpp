#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "quantmap/mapping/grid.hpp"
#include "quantmap/mapping/map.hpp"

using namespace quantmap;

namespace {

std::vector<Grid::Options> every_combination() {
  std::vector<Grid::Options> out{{}};
  for (std::size_t i = 0; i < kGridFields; ++i) {
    std::vector<Grid::Options> longer;
    for (const Grid::Options& options : out) {
      for (std::size_t k = 0; k < field_info(static_cast<FieldId>(i)).options.size(); ++k) {
        longer.push_back(options);
        longer.back()[i] = static_cast<std::uint8_t>(k);
      }
    }
    out = std::move(longer);
  }
  return out;
}

// Everything that a launch consists of.
std::string content(const Engine& engine, const Deployment& deployment, const Grid::Options& options) {
  const auto& kind = catalog().checkpoint_kinds[deployment.checkpoint];
  ModelQuantization model{deployment.checkpoint != 0, {}, true};
  if (model.quantized && !kind.names.empty()) model.method = kind.names.front();
  const Mapping mapping = map_config(Grid::config_of(options), engine, model, deployment);
  std::map<std::string, std::string> parts;
  for (const Argument& argument : mapping.arguments) parts[argument.flag] = to_text(argument.value);
  for (const LaunchFile& file : mapping.files) parts["file " + file.name] = file.text;
  for (const Decision& decision : mapping.decisions) {
    if (decision.outcome == Outcome::kCannotServe) parts["cannot serve"] = "";
  }
  std::string out;
  for (const auto& [name, value] : parts) out.append(name).append("=").append(value).append("\n");
  return out;
}

void compare(const Engine& engine, const Deployment& deployment, const std::vector<Grid::Options>& combinations) {
  Grid grid(engine, deployment);
  std::map<std::uint32_t, std::string> known;
  std::size_t wrong = 0;
  for (const Grid::Options& options : combinations) {
    const std::string launch = content(engine, deployment, options);
    const auto [place, is_new] = known.try_emplace(grid.place(options), launch);
    if (place->second != launch) ++wrong;
  }
  INFO(std::string(engine.id), " release ", deployment.release, " gpu ", deployment.gpu, " checkpoint ",
       deployment.checkpoint);
  CHECK(wrong == 0);
  CHECK(known.size() < combinations.size());
}

}  // namespace

TEST_CASE("combinations at one place of the grid are one launch") {
  const std::vector<Grid::Options> combinations = every_combination();
  CHECK(combinations.size() == 2352);
  for (const Engine& engine : catalog().engines) {
    Deployment deployment;
    if (!engine.documented.rows.empty()) compare(engine, deployment, combinations);
    deployment.checked = true;
    const std::size_t last = engine.surface.releases.size() - 1;
    for (const std::size_t release : {last / 3, 2 * last / 3, last}) {
      deployment.release = release;
      for (const std::size_t gpu : {std::size_t{0}, catalog().gpu_classes.size() - 3}) {
        deployment.gpu = gpu;
        deployment.checkpoint = gpu == 0 ? 0 : 1;
        compare(engine, deployment, combinations);
      }
    }
  }
}
