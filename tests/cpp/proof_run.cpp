// Maps, checks and counts every class of launches of an engine.
#include "proof_run.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "quantmap/catalog/codes.hpp"
#include "quantmap/mapping/launch.hpp"

namespace quantmap::proof {

namespace {

// Checks the launch in both ways it can be asked for: whole, and as arguments alone.
Mapping check_launch(const Engine& engine, const Config& config, const Place& place, const Ground& ground,
                     std::vector<Problem>& out) {
  Mapping whole = map_config(config, engine, model_at(place), situation_at(place));
  out = problems_of(whole, place, ground, false);
  const bool more = !whole.files.empty() || std::any_of(whole.arguments.begin(), whole.arguments.end(),
                                                        [](const auto& a) { return a.kind == ChannelKind::kEnv; });
  if (more) {
    const Mapping words = map_config(config, engine, model_at(place), situation_at(place, true));
    for (Problem& problem : problems_of(words, place, ground, true)) {
      problem.what = "arguments alone: " + problem.what;
      out.push_back(std::move(problem));
    }
  }
  return whole;
}

bool same(const Mapping& a, const Mapping& b) {
  const auto arguments = [](const Argument& x, const Argument& y) {
    return x.flag == y.flag && x.value == y.value && x.kind == y.kind && x.from == y.from;
  };
  const auto files = [](const LaunchFile& x, const LaunchFile& y) { return x.name == y.name && x.text == y.text; };
  const auto decisions = [](const Decision& x, const Decision& y) {
    return x.field == y.field && x.outcome == y.outcome && x.why.code == y.why.code && x.emitted == y.emitted;
  };
  const auto codes = [](const Diagnostic& x, const Diagnostic& y) { return x.code == y.code && x.path == y.path; };
  const auto equal = [](const auto& x, const auto& y, auto by) {
    return std::equal(x.begin(), x.end(), y.begin(), y.end(), by);
  };
  return equal(a.arguments, b.arguments, arguments) && equal(a.files, b.files, files) &&
         equal(a.decisions, b.decisions, decisions) && equal(a.diagnostics.all(), b.diagnostics.all(), codes) &&
         conditional_rules(*a.engine, a.deployment, a.values) == conditional_rules(*b.engine, b.deployment, b.values);
}

// A scheme that is of this kind and of none before it.
Scheme scheme_like(const SchemeKind& kind) {
  Scheme out;
  out.weight_bits = kind.least_weight_bits;
  out.activation_bits = kind.least_activation_bits > 0 ? kind.least_activation_bits : 16;
  if (!kind.weight_types.empty()) out.weight_type = kind.weight_types.front();
  if (!kind.activation_types.empty()) out.activation_type = kind.activation_types.front();
  if (kind.blocks) out.block = {128, 128};
  if (kind.least_weight_bits == 0) out.weight_type = "unheard-of";
  if (kind.id == "w8a8_fp8") out.activation_bits = 8;
  return out;
}

// What reading the files of a place's model would give.
std::shared_ptr<const Checkpoint> inspected_at(const Place& place) {
  auto out = std::make_shared<Checkpoint>();
  out->evidence = Evidence::kConfig;
  out->quantization.kind = place.kind;
  out->quantization.method = model_of(place.kind).method;
  Architecture& architecture = out->architecture.emplace();
  const World& world = worlds()[place.world];
  architecture.experts.routed = 8;  // a dense model has no settings of experts
  architecture.traits = world.marks.has;
  if (world.marks.dtype != 0) architecture.dtype = catalog().model_dtypes[world.marks.dtype];
  if (world.marks.kv_dtype != 0) out->quantization.kv_dtype = catalog().kv_dtypes[world.marks.kv_dtype];
  if (world.kind != ModelKind::kHeads) architecture.mla.kv_rank = 512;
  if (world.kind == ModelKind::kSparseMla) architecture.mla.index_size = 128;
  for (std::size_t i = 1; i < catalog().schemes.size(); ++i) {
    if (in_mask(world.marks.schemes, i)) out->quantization.schemes.push_back(scheme_like(catalog().schemes[i]));
  }
  return out;
}

// The same launch through the front door: no error but cannot-serve, every condition listed.
void check_front_door(const Engine& engine, const Config& config, const Place& place, Findings& findings) {
  LaunchRequest request;
  request.runtime = Value::text(std::string(engine.id));
  request.quant_config = to_value(config);
  request.engine_version = Value::text(std::string(engine.surface.releases[place.release].version));
  if (place.gpu != 0) request.gpu = Value::text(std::string(catalog().gpu_classes[place.gpu].id));
  if (place.world != 0) {
    request.inspected = inspected_at(place);
  } else if (place.kind != 0) {
    request.model_quantization = Value::text(model_of(place.kind).method);
  }
  request.activations = Value::boolean(place.activations);
  Diagnostics problems;
  const auto mapping = launch(request, problems);
  std::vector<Problem> out;
  if (!mapping) {
    out.push_back({"launch() refuses", problems.all().front().message()});
  } else {
    std::size_t conditions = 0;
    for (const Diagnostic& diagnostic : mapping->diagnostics.all()) {
      conditions += diagnostic.code == Code::kDependsOnGpu ? 1U : 0U;
      if (diagnostic.text().severity == Severity::kError && !refuses_whole(diagnostic)) {
        out.push_back({"launch() reports " + std::string(diagnostic.text().code), diagnostic.message()});
      }
    }
    if (conditions != conditional_rules(engine, mapping->deployment, mapping->values).size()) {
      out.push_back({"launch() does not list every condition", {}});
    }
    for (const std::string_view part : {"gemm", "kv", "attention", "moe"}) {
      std::size_t answers = 0;
      for (const Precision* row : effective_precision(engine, mapping->deployment, mapping->values))
        answers += row->of == part;
      if (answers != 1) out.push_back({"not one answer for the precision of " + std::string(part), {}});
    }
  }
  findings.add(out, engine, place, config);
}

}  // namespace

int Findings::print() const {
  for (const auto& [what, found] : found_) {
    std::printf("WRONG %s\n      %llu launches, first: %s\n", what.c_str(),
                static_cast<unsigned long long>(found.first), found.second.c_str());
  }
  return found_.empty() ? 0 : 1;
}

void Proof::run(const Engine& engine) {
  const auto begin = std::chrono::steady_clock::now();
  std::vector<Place> places = places_of(engine, options_.facts);
  if (options_.newest) {
    const std::size_t newest = engine.surface.releases.size() - 1;
    std::erase_if(places, [newest](const Place& place) { return place.release != newest; });
  }
  const Grounds grounds(engine);
  for (const Problem& problem : problems_of_tables(engine)) {
    findings_.add(problem, std::string(engine.id), 1, [] { return std::string("the tables"); });
  }
  std::printf("%s: %zu releases, %zu places\n", std::string(engine.id).c_str(), engine.surface.releases.size(),
              places.size());
  Total total;
  for (const Grid& grid : grids()) {
    if (!options_.form.empty() && name_of(grid.form) != options_.form) continue;
    if (options_.sample) {
      sample(engine, grid, grounds, places, total);
    } else {
      cover(engine, grid, grounds, place_classes(engine, grid, grounds, places), total);
    }
  }
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
  std::printf("  %llu launches covered by %llu evaluated, %llu members compared, in %.1f s\n ",
              static_cast<unsigned long long>(total.covered), static_cast<unsigned long long>(total.evaluated),
              static_cast<unsigned long long>(total.compared), time.count());
  for (std::size_t i = 0; i < kOutcomes; ++i) {
    if (total.outcomes[i] == 0) continue;
    std::printf(" %s %llu", std::string(name_of(static_cast<Outcome>(i))).c_str(),
                static_cast<unsigned long long>(total.outcomes[i]));
  }
  std::printf("\n");
  std::fflush(stdout);
}

std::vector<std::size_t> Proof::random_point(const Grid& grid) {
  std::vector<std::size_t> out;
  for (const Axis& axis : grid.axes) out.push_back(below(axis.points.size()));
  return out;
}

void Proof::sample(const Engine& engine, const Grid& grid, const Grounds& grounds, const std::vector<Place>& places,
                   Total& total) {
  for (std::uint64_t i = 0; i < *options_.sample; ++i) {
    const Place& place = places[below(places.size())];
    const Config config = config_at(grid, random_point(grid));
    std::vector<Problem> problems;
    check_launch(engine, config, place, grounds.at(place), problems);
    findings_.add(problems, engine, place, config);
    if (i % 10 == 0) check_front_door(engine, config, place, findings_);
    ++total.evaluated;
  }
  total.covered = total.evaluated;
}

void Proof::cover(const Engine& engine, const Grid& grid, const Grounds& grounds,
                  const std::vector<PlaceClass>& classes, Total& total) {
  const std::uint64_t before = total.evaluated;
  std::vector<std::vector<std::vector<std::size_t>>> leaders;
  for (const PlaceClass& places : classes) {
    leaders.push_back(point_classes(engine, grid, places));
    cover_class(engine, grid, grounds, places, leaders.back(), total);
  }
  compare_members(engine, grid, grounds, classes, leaders, total);
  std::printf("  %-32s %zu classes of places, %llu evaluated\n", std::string(grid.name).c_str(), classes.size(),
              static_cast<unsigned long long>(total.evaluated - before));
}

void Proof::cover_class(const Engine& engine, const Grid& grid, const Grounds& grounds, const PlaceClass& places,
                        const std::vector<std::vector<std::size_t>>& leaders, Total& total) {
  std::vector<std::vector<std::pair<std::size_t, std::uint64_t>>> axes;  // point, members
  for (const auto& of_axis : leaders) {
    std::map<std::size_t, std::uint64_t> sizes;
    for (const std::size_t leader : of_axis) ++sizes[leader];
    axes.emplace_back(sizes.begin(), sizes.end());
  }
  const Place& place = places.members.front();
  const Ground ground = grounds.at(place);
  Counts counts{};
  std::uint64_t covered = 0;
  std::vector<std::size_t> at(axes.size(), 0);
  std::vector<std::size_t> point(axes.size(), 0);
  std::vector<Problem> problems;
  for (bool more = true; more;) {
    std::uint64_t weight = 1;
    for (std::size_t axis = 0; axis < axes.size(); ++axis) {
      point[axis] = axes[axis][at[axis]].first;
      weight *= axes[axis][at[axis]].second;
    }
    const Config config = config_at(grid, point);
    const Mapping mapping = check_launch(engine, config, place, ground, problems);
    if (!problems.empty()) findings_.add(problems, engine, place, config, weight * places.members.size());
    for (const Decision& decision : mapping.decisions) counts[static_cast<std::size_t>(decision.outcome)] += weight;
    covered += weight;
    ++total.evaluated;
    more = false;
    for (std::size_t axis = 0; axis < axes.size() && !more; ++axis) {
      more = ++at[axis] < axes[axis].size();
      if (!more) at[axis] = 0;
    }
  }
  total.covered += covered * places.members.size();
  for (std::size_t i = 0; i < kOutcomes; ++i) total.outcomes[i] += counts[i] * places.members.size();
  for (const Place& member : places.members) {
    if (member.gpu != 0 || member.world != 0 || !member.activations) continue;
    auto& kinds = counts_[std::string(engine.id)][std::string(name_of(grid.form))];
    auto& by_release = kinds[std::string(catalog().checkpoint_kinds[member.kind].id)];
    by_release.resize(engine.surface.releases.size());
    for (std::size_t i = 0; i < kOutcomes; ++i) by_release[member.release][i] += counts[i];
  }
}

void Proof::compare_members(const Engine& engine, const Grid& grid, const Grounds& grounds,
                            const std::vector<PlaceClass>& classes,
                            const std::vector<std::vector<std::vector<std::size_t>>>& leaders, Total& total) {
  for (std::uint64_t i = 0; i < options_.members; ++i) {
    const std::size_t number = below(classes.size());
    const auto& members = classes[number].members;
    const Place& place = members[below(members.size())];
    const std::vector<std::size_t> point = random_point(grid);
    std::vector<std::size_t> leader;
    for (std::size_t axis = 0; axis < point.size(); ++axis) leader.push_back(leaders[number][axis][point[axis]]);
    const Config config = config_at(grid, point);
    std::vector<Problem> problems;
    const Mapping mine = check_launch(engine, config, place, grounds.at(place), problems);
    const Mapping theirs =
        map_config(config_at(grid, leader), engine, model_at(members.front()), situation_at(members.front()));
    if (!same(mine, theirs)) {
      problems.push_back({"not like its representative",
                          describe(engine, members.front()) + ": " + describe(config_at(grid, leader))});
    }
    findings_.add(problems, engine, place, config);
    if (i % 10 == 0) check_front_door(engine, config, place, findings_);
    ++total.compared;
  }
}

}  // namespace quantmap::proof
