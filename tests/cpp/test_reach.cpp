// The search for what can happen finds what cannot: a candidate behind one that always fits, a rule that nothing meets.
#include <algorithm>
#include <vector>

#include "proof_reach.hpp"
#include "support.hpp"

using namespace quantmap;
using namespace quantmap::proof;
using quantmap::testing::Texts;

namespace {

Texts found(const Engine& engine) {
  ReachSearch reach(engine);
  reach.search();
  Texts out;
  for (const Problem& problem : reach.problems()) out.push_back(problem.what);
  return out;
}

bool has(const Texts& texts, std::string_view part) {
  return std::any_of(texts.begin(), texts.end(),
                     [part](const std::string& text) { return text.find(part) != std::string::npos; });
}

const Engine& smallest() { return *find_engine("sglang_jax"); }

}  // namespace

TEST_CASE("everything in an engine's tables can happen") { CHECK(found(smallest()) == Texts{}); }

TEST_CASE("a candidate behind one that emits nothing is never taken") {
  Engine engine = smallest();
  std::vector<MappingRule> rows(engine.checked.rows.begin(), engine.checked.rows.end());
  const auto row = std::find_if(rows.begin(), rows.end(), [](const MappingRule& item) {
    return std::any_of(item.candidates.begin(), item.candidates.end(),
                       [](const auto& c) { return c.emissions.empty(); });
  });
  REQUIRE(row != rows.end());
  std::vector<Alternative> candidates(row->candidates.begin(), row->candidates.end());
  const auto free =
      std::find_if(candidates.begin(), candidates.end(), [](const auto& c) { return c.emissions.empty(); });
  const std::size_t number = static_cast<std::size_t>(free - candidates.begin()) + 2;
  candidates.insert(free + 1, candidates.front());
  row->candidates = {candidates.data(), candidates.size()};
  engine.checked.rows = {rows.data(), rows.size()};
  CHECK(has(found(engine), "no launch takes candidate " + std::to_string(number)));
}

TEST_CASE("a rule that nothing meets is found, and one that rows meet is not the user's alone") {
  Engine engine = smallest();
  std::vector<Constraint> rules(engine.checked.rules.begin(), engine.checked.rules.end());
  const std::string_view never[] = {"a value that no row emits"};
  const auto rule = std::find_if(rules.begin(), rules.end(),
                                 [](const Constraint& item) { return !item.terms.empty() && !item.user_only; });
  REQUIRE(rule != rules.end());
  const std::string id(rule->id);
  rule->user_only = true;
  engine.checked.rules = {rules.data(), rules.size()};
  CHECK(has(found(engine), "the rule " + id + " refuses what rows emit"));
  std::vector<RuleTerm> terms(rule->terms.begin(), rule->terms.end());
  terms.front().values = never;
  terms.front().others = false;
  rule->terms = {terms.data(), terms.size()};
  rule->user_only = false;
  CHECK(has(found(engine), "the rule " + id + " refuses nothing"));
}
