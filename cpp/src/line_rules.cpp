#include "quantmap/line_rules.hpp"

namespace quantmap {

namespace {

// How much of what a line leaves open a rule covers.
enum class Reach { kNothing, kSomeGpus, kSomeCheckpoints, kAssumed, kCertain };

bool covers_all(std::uint32_t mask, std::size_t first, std::size_t count) {
  for (std::size_t i = first; i < count; ++i) {
    if (!in_mask(mask, i)) return false;
  }
  return true;
}

class LineRules {
 public:
  LineRules(const Engine& engine, const Situation& situation, bool checkpoint_known, Diagnostics& notes)
      : engine_(engine), situation_(situation), checkpoint_known_(checkpoint_known), notes_(notes) {}

  void apply(std::vector<Verdict>& verdicts) {
    const Given given = given_values(engine_, verdicts);
    for (const Rule& rule : engine_.checked.rules) {
      if (!terms_hold(rule.terms, given.values)) continue;
      const Reach reach = reach_of(rule);
      if (reach == Reach::kNothing) continue;
      if (reach == Reach::kSomeGpus) {
        note_gpus(rule);
      } else if (rule.terms.empty()) {
        refuse_whole(rule, reach);
      } else {
        for (const RuleTerm& term : rule.terms) {
          if (given.by[term.target] != kNotGiven) judge(rule, reach, verdicts[given.by[term.target]]);
        }
      }
    }
  }

 private:
  Reach reach_of(const Rule& rule) const {
    if (!covers(rule.since, rule.until, situation_.release) || !in_mask(rule.checkpoints, situation_.checkpoint) ||
        !in_mask(rule.models, situation_.model)) {
      return Reach::kNothing;
    }
    if (situation_.gpu != 0) {
      if (!in_mask(rule.gpus, situation_.gpu)) return Reach::kNothing;
    } else if (!covers_all(rule.gpus, 1, catalog().gpu_classes.size())) {
      // Whether the rule counts the unknown GPU as well does not matter: that is for what quantmap writes itself.
      const bool any = (rule.gpus >> 1U) != 0;
      return any && rule.stage != Stage::kNoEffect ? Reach::kSomeGpus : Reach::kNothing;
    }
    if (!checkpoint_known_ && !covers_all(rule.checkpoints, 0, catalog().checkpoint_kinds.size())) {
      return Reach::kSomeCheckpoints;
    }
    return rule.assumed ? Reach::kAssumed : Reach::kCertain;
  }

  void note_gpus(const Rule& rule) {
    notes_.add(Code::kDependsOnGpu, "gpu", {{"known", gpu_names(rule.gpus)}, {"reason", std::string(rule.text)}});
  }

  void refuse_whole(const Rule& rule, Reach reach) {
    notes_.add(reach == Reach::kCertain ? Code::kCannotServe : Code::kMayNotServe, "$",
               {{"engine", std::string(engine_.name)},
                {"version", std::string(engine_.surface.releases[situation_.release].version)},
                {"reason", std::string(rule.text)}});
  }

  static void judge(const Rule& rule, Reach reach, Verdict& verdict) {
    const Judgement found = reach == Reach::kCertain ? judgement_of(rule.stage) : Judgement::kAssumed;
    if (is_refusal(verdict.judgement) || (verdict.judgement == Judgement::kAssumed && !is_refusal(found))) return;
    verdict.judgement = found;
    verdict.reason = rule.text;
    if (reach == Reach::kSomeCheckpoints) {
      verdict.reason = "it depends on the checkpoint, of which nothing is known: " + verdict.reason;
    }
    verdict.evidence.assign(rule.evidence.begin(), rule.evidence.end());
  }

  const Engine& engine_;
  const Situation& situation_;
  bool checkpoint_known_;
  Diagnostics& notes_;
};

}  // namespace

std::vector<Verdict> judge_line(const Engine& engine, const Situation& situation, const Line& line,
                                Diagnostics& notes) {
  std::vector<Verdict> out = judge_each(engine, situation, line.arguments, line.literal);
  if (!line.checkpoint_known) notes.add(Code::kCheckpointNotGiven, "model_quantization");
  LineRules(engine, situation, line.checkpoint_known, notes).apply(out);
  return out;
}

}  // namespace quantmap
