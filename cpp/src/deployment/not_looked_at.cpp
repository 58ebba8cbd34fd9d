#include "quantmap/deployment/not_looked_at.hpp"

#include <algorithm>

#include "quantmap/deployment/line_rules.hpp"
#include "quantmap/release/argument_schema.hpp"

namespace quantmap {

namespace {

constexpr std::uint16_t kEveryGpu = 0xFFFF;
constexpr std::uint8_t kEveryModel = 0xFF;
constexpr std::uint32_t kEvery = 0xFFFFFFFF;

template <typename Test>
std::size_t rules_that(const Engine& engine, const Deployment& deployment, Test test) {
  const auto& rules = engine.checked.rules;
  return static_cast<std::size_t>(std::count_if(rules.begin(), rules.end(), [&](const Constraint& rule) {
    return covers(rule.since, rule.until, deployment.release) && test(rule);
  }));
}

template <typename Test>
std::size_t troubles_that(const Engine& engine, const Deployment& deployment, Test test) {
  const auto& all = engine.troubles;
  return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [&](const Trouble& trouble) {
    const Constraint& rule = trouble.rule;
    return covers(rule.since, rule.until, deployment.release) && test(trouble);
  }));
}

bool asks_for_facts(const Constraint& rule) {
  return rule.models != kEveryModel || rule.has != 0 || rule.lacks != 0 || rule.schemes != kEvery ||
         rule.dtypes != kEveryModel || rule.kv_dtypes != kEveryModel;
}

bool is_verified(const Engine& engine, const Deployment& deployment) {
  const auto& releases = engine.surface.releases;
  const auto last = std::find_if(releases.begin(), releases.end(), [&engine](const Release& release) {
    return release.version == engine.checked.verified_through;
  });
  return last == releases.end() || deployment.release <= static_cast<std::size_t>(last - releases.begin());
}

std::string counted(std::size_t count, const char* one, const std::string& about) {
  return std::to_string(count) + " " + one + (count == 1 ? " about " : "s about ") + about;
}

}  // namespace

std::vector<NotLookedAt> not_looked_at(const Engine& engine, const Deployment& deployment, bool checkpoint_known) {
  std::vector<NotLookedAt> out;
  if (!deployment.checked) return out;
  const auto add = [&out](std::size_t count, const std::string& about, const char* give, const char* one = "rule") {
    if (count > 0) out.push_back({counted(count, one, about), give});
  };
  constexpr const char* kTrouble = "known trouble";
  if (deployment.gpu == 0) {
    add(rules_that(engine, deployment, [](const Constraint& rule) { return rule.gpus != kEveryGpu; }), "the GPU",
        "gpu");
    add(troubles_that(engine, deployment, [](const Trouble& trouble) { return trouble.rule.gpus != kEveryGpu; }),
        "the GPU", "gpu", kTrouble);
  }
  if (!checkpoint_known) {
    add(rules_that(engine, deployment, [](const Constraint& rule) { return rule.checkpoints != kEvery; }),
        "the checkpoint's own quantization", "checkpoint");
  }
  if (deployment.facts == nullptr || !deployment.facts->has_config) {
    const std::size_t rules = rules_that(engine, deployment, asks_for_facts);
    const auto& shapes = engine.checked.shapes;
    add(rules + static_cast<std::size_t>(std::count_if(
                    shapes.begin(), shapes.end(),
                    [&](const Shape& shape) { return covers(shape.since, shape.until, deployment.release); })),
        "the model's attention, dtype, experts and sizes", "checkpoint");
    add(troubles_that(engine, deployment,
                      [](const Trouble& trouble) { return !trouble.types.empty() || asks_for_facts(trouble.rule); }),
        "the model", "checkpoint", kTrouble);
  }
  if (deployment.facts != nullptr && deployment.facts->too_many_patterns) {
    out.push_back(
        {"which modules the checkpoint quantizes: its list of those that it leaves has too many patterns", {}});
  }
  if (!is_verified(engine, deployment)) {
    out.push_back({"what changed at start-up after " + std::string(engine.name) + " " +
                       std::string(engine.checked.verified_through),
                   {}});
  }
  return out;
}

void add_left_open(const Engine& engine, const Deployment& deployment, const std::vector<Verdict>& verdicts,
                   std::vector<NotLookedAt>& out) {
  if (!deployment.checked) return;
  for (const Verdict& verdict : verdicts) {
    if (!verdict.open || verdict.canonical.empty()) continue;
    std::uint64_t set = 0;
    for (std::size_t target = 0; target < engine.checked.targets.size(); ++target) {
      for (const Channel& route : engine.checked.targets[target].routes) {
        if (route.name == verdict.canonical) set |= std::uint64_t{1} << target;
      }
    }
    const auto looks = [set](const Constraint& rule) {
      return std::any_of(rule.terms.begin(), rule.terms.end(),
                         [set](const RuleTerm& term) { return in_mask(set, term.target); });
    };
    const std::size_t count =
        rules_that(engine, deployment, looks) +
        troubles_that(engine, deployment, [&](const Trouble& trouble) { return looks(trouble.rule); });
    if (count > 0) out.push_back({counted(count, "rule", verdict.canonical + ", which the text leaves open"), {}});
  }
}

}  // namespace quantmap
