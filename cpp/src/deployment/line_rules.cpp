#include "quantmap/deployment/line_rules.hpp"

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
  LineRules(const Engine& engine, const Deployment& deployment, bool checkpoint_known, Diagnostics& notes)
      : engine_(engine), deployment_(deployment), checkpoint_known_(checkpoint_known), notes_(notes) {}

  void apply(std::vector<Verdict>& verdicts) {
    const Given given = given_values(engine_, verdicts);
    for (const Constraint& rule : engine_.checked.rules) {
      if (!terms_hold(rule.terms, given.values)) continue;
      const Reach reach = reach_of(rule);
      if (reach == Reach::kNothing) continue;
      if (reach == Reach::kSomeGpus) {
        if (!rule.terms.empty()) note_gpus(rule);  // of GPUs that nobody asked about, what a flag of this line causes
      } else if (rule.terms.empty()) {
        refuse_whole(rule, reach);
      } else {
        for (const RuleTerm& term : rule.terms) {
          if (given.by[term.target] != kNotGiven) judge(rule, reach, verdicts[given.by[term.target]]);
        }
      }
    }
    judge_kernels(engine_, deployment_, given, false, verdicts);
  }

 private:
  Reach reach_of(const Constraint& rule) const {
    if (!covers(rule.since, rule.until, deployment_.release) || !in_mask(rule.checkpoints, deployment_.checkpoint) ||
        !in_mask(rule.models, deployment_.model)) {
      return Reach::kNothing;
    }
    if (deployment_.gpu != 0) {
      if (!in_mask(rule.gpus, deployment_.gpu)) return Reach::kNothing;
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

  void note_gpus(const Constraint& rule) {
    notes_.add(Code::kDependsOnGpu, "gpu", {{"known", gpu_names(rule.gpus)}, {"reason", std::string(rule.text)}});
  }

  void refuse_whole(const Constraint& rule, Reach reach) {
    notes_.add(reach == Reach::kCertain ? Code::kCannotServe : Code::kMayNotServe, "$",
               {{"engine", std::string(engine_.name)},
                {"version", std::string(engine_.surface.releases[deployment_.release].version)},
                {"reason", std::string(rule.text)}});
  }

  static void judge(const Constraint& rule, Reach reach, Verdict& verdict) {
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
  const Deployment& deployment_;
  bool checkpoint_known_;
  Diagnostics& notes_;
};

}  // namespace

std::vector<Verdict> judge_line(const Engine& engine, const Deployment& deployment, const Line& line,
                                Diagnostics& notes) {
  std::vector<Verdict> out = judge_each(engine, deployment, line.arguments, line.literal);
  if (!line.checkpoint_known) notes.add(Code::kCheckpointNotGiven, "model_quantization");
  LineRules(engine, deployment, line.checkpoint_known, notes).apply(out);
  return out;
}

}  // namespace quantmap
