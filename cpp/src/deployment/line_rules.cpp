#include "quantmap/deployment/line_rules.hpp"
#include "quantmap/catalog/codes.hpp"

#include <algorithm>

#include "quantmap/base/text.hpp"
#include "quantmap/deployment/kernels.hpp"
#include "quantmap/deployment/shapes.hpp"
#include "quantmap/deployment/trouble.hpp"

namespace quantmap {

namespace {

constexpr std::size_t kOffered = 3;         // backends in place of one that is refused
constexpr std::size_t kPlainAttention = 1;  // ModelKind: keys and values for each head

class LineRules {
 public:
  LineRules(const Engine& engine, const Deployment& deployment, const Line& line, Diagnostics& notes)
      : engine_(engine),
        deployment_(deployment),
        checkpoint_known_(line.checkpoint_known),
        more_(line.more),
        own_model_(line.own_model),
        notes_(notes) {}

  void apply(std::vector<Verdict>& verdicts) {
    const std::vector<Given> parts = given_values(engine_, deployment_, verdicts);
    for (const Given& given : parts) {
      const EffectiveValues values(engine_, deployment_, given.values, given.apart);
      for (const Constraint& rule : engine_.checked.rules) {
        const bool about_it = !given.apart || !rule.whole_only;
        if (about_it && is_met(rule, values) && !looks_at_open(rule, given)) {
          tell(rule, given, values, &given == &parts.front(), verdicts);
        }
      }
      tell_replaced(values, given, verdicts);
      if (const auto reason = judge_kernels(engine_, deployment_, given, false, verdicts)) {
        notes_.add_once(Code::kCannotServe, "$", whole(reason->text));
      }
    }
    offer_backend(parts.front(), verdicts);
    judge_shapes(parts.front(), verdicts);
    judge_troubles(engine_, deployment_, checkpoint_known_, parts.front(), verdicts, notes_);
  }

 private:
  // Notes are for the launch: the first part tells them.
  void tell(const Constraint& rule, const Given& given, const EffectiveValues& values, bool first,
            std::vector<Verdict>& verdicts) {
    const Reach reach = reach_of(rule, deployment_, checkpoint_known_);
    if (reach == Reach::kNothing) return;
    if (reach == Reach::kSomeGpus || reach == Reach::kUnnamedGpu) {
      if (first) tell_gpus(rule, given);
      return;
    }
    bool told = false;
    for (const RuleTerm& term : rule.terms) {
      if (given.by[term.target] == kNotGiven) continue;
      judge(rule, reach, verdicts[given.by[term.target]]);
      told = true;
    }
    // Nothing that is given sets it: the model itself does, or it is what the line leaves out.
    const bool by_model = std::any_of(rule.terms.begin(), rule.terms.end(), [&](const RuleTerm& term) {
      return values.as_given(term.target) != given.values[term.target];
    });
    const bool unsaid = by_model || is_certain(rule);
    const bool nothing = rule.terms.empty() || (!told && unsaid && rule.stage != Stage::kNoEffect);
    if (!first || !nothing) return;
    tell_whole(rule);
  }

  // What no argument of the line causes.
  void tell_whole(const Constraint& rule) {
    if (!is_certain(rule)) return notes_.add(Code::kMayNotServe, "$", whole(rule.text));
    WholeRefusal refusal = whole_refusal(engine_, deployment_.release, rule.stage, rule.text);
    const std::string others = refusal.code == Code::kCannotServe ? arguments_of(rule) : std::string();
    if (!others.empty() && more_) return notes_.add(Code::kMayNotServe, "$", whole(rule.text));
    if (!others.empty()) {
      refusal.code = Code::kNeedsAnotherArgument;
      refusal.context.emplace_back("known", others);
    }
    notes_.add(refusal.code, "$", std::move(refusal.context));
  }

  // The arguments that the line could set so that the rule no longer holds, by their first names in this release.
  std::string arguments_of(const Constraint& rule) const {
    std::vector<std::string_view> names;
    for (const RuleTerm& term : rule.terms) {
      for (const Channel& route : engine_.checked.targets[term.target].routes) {
        const bool flag = route.kind == ChannelKind::kFlag;
        if (!flag || !find_flag(engine_.surface, route.name, deployment_.release)) continue;
        names.push_back(route.name);
        break;
      }
    }
    return join(names, " or ");
  }

  // A backend that is refused has others beside it: those that the release tries by itself and this GPU and model take.
  // Of a model that is not known the plain kind of attention is told.
  void offer_backend(const Given& given, std::vector<Verdict>& verdicts) const {
    const int role = engine_.kernels.roles.attention;
    if (role < 0 || deployment_.gpu == 0 || given.by[static_cast<std::size_t>(role)] == kNotGiven) return;
    Verdict& verdict = verdicts[given.by[static_cast<std::size_t>(role)]];
    if (!is_refusal(verdict.judgement) || !verdict.hint.empty()) return;
    Deployment place = deployment_;
    if (place.model == 0) place.model = kPlainAttention;
    TargetValues values = given.values;
    values[static_cast<std::size_t>(role)].clear();
    std::vector<const AttentionBackend*> known;
    if (const auto choice = choose_attention(engine_, kernel_query(engine_, place, values))) {
      for (const BackendAnswer& answer : choice->tried) known.push_back(answer.backend);
    }
    std::vector<std::string_view> names;
    for (const AttentionBackend* backend : known) {
      if (names.size() < kOffered && is_taken(*backend, place, values)) names.push_back(backend->name);
    }
    verdict.hint = join(names, " or ");
    if (!names.empty() && deployment_.model == 0) verdict.hint += ", for attention with heads";
  }

  bool is_taken(const AttentionBackend& backend, const Deployment& place, TargetValues values) const {
    const auto answer = ask_backend(engine_, kernel_query(engine_, place, values), backend);
    if (!answer || answer->fits > Fits::kDepends || answer->interval->absent) return false;
    values[static_cast<std::size_t>(engine_.kernels.roles.attention)] = backend.name;
    if (refused_by_kernels(engine_, place, values)) return false;
    const EffectiveValues meant(engine_, place, values);
    return std::none_of(engine_.checked.rules.begin(), engine_.checked.rules.end(), [&](const Constraint& rule) {
      return !rule.terms.empty() && is_certain(rule) && rule.stage != Stage::kNoEffect && is_met(rule, meant);
    });
  }

  // Whether the engine is known to do what the rule says here.
  bool is_certain(const Constraint& rule) const {
    return !rule.assumed && reach_of(rule, deployment_, checkpoint_known_) == Reach::kHere;
  }

  // Told at the argument that sets the size, or of the launch as a whole.
  void judge_shapes(const Given& given, std::vector<Verdict>& verdicts) {
    for (const ShapeProblem& problem : shape_problems(engine_, deployment_, given.values)) {
      const std::vector<int> targets = targets_of(engine_, *problem.shape);
      const auto is_open = [&given](int target) { return in_mask(given.open, static_cast<std::size_t>(target)); };
      if (std::any_of(targets.begin(), targets.end(), is_open)) continue;
      const auto by = std::find_if(targets.begin(), targets.end(), [&given](int target) {
        return given.by[static_cast<std::size_t>(target)] != kNotGiven;
      });
      const std::string hint = sizes_hint(engine_, deployment_, given.values, *problem.shape);
      const bool own = own_model_ || problem.shape->over != ShapeOver::kContext;
      const bool certain = checkpoint_known_ && own && !problem.assumed && !(more_ && leaves_out(given, targets));
      if (by == targets.end()) {
        if (certain) {
          report_size(engine_, deployment_, problem, hint, notes_);
        } else {
          notes_.add_once(Code::kMayNotServe, "$", whole(problem.reason));
        }
        continue;
      }
      Verdict& verdict = verdicts[given.by[static_cast<std::size_t>(*by)]];
      if (is_refusal(verdict.judgement)) continue;
      verdict.judgement = certain ? judgement_of(problem.shape->stage) : Judgement::kAssumed;
      verdict.reason = problem.reason;
      verdict.hint = hint;
      verdict.evidence.assign(problem.shape->evidence.begin(), problem.shape->evidence.end());
    }
  }

  // Whether the line could set one of these targets still.
  static bool leaves_out(const Given& given, const std::vector<int>& targets) {
    return std::any_of(targets.begin(), targets.end(),
                       [&given](int target) { return given.by[static_cast<std::size_t>(target)] == kNotGiven; });
  }

  // Of GPUs that nobody asked about: what an argument here causes. What the model causes is told when one is named.
  void tell_gpus(const Constraint& rule, const Given& given) {
    if (rule.stage == Stage::kNoEffect || (rule.gpus >> 1U) == 0) return;
    const bool by_line = std::any_of(rule.terms.begin(), rule.terms.end(),
                                     [&given](const RuleTerm& term) { return given.by[term.target] != kNotGiven; });
    if (!by_line) return;
    notes_.add(Code::kDependsOnGpu, "gpu", {{"known", gpu_names(rule.gpus)}, {"reason", std::string(rule.text)}});
  }

  Context whole(std::string_view reason) const {
    return {{"engine", std::string(engine_.name)},
            {"version", std::string(engine_.surface.releases[deployment_.release].version)},
            {"reason", std::string(reason)}};
  }

  void judge(const Constraint& rule, Reach reach, Verdict& verdict) const {
    const Judgement found = is_certain(rule) ? judgement_of(rule.stage) : Judgement::kAssumed;
    if (is_settled(verdict, rule) || (verdict.judgement == Judgement::kAssumed && !is_refusal(found))) return;
    verdict.judgement = found;
    verdict.reason = rule.text;
    if (reach == Reach::kSomeCheckpoints) {
      verdict.reason =
          std::string(deployment_.checkpoint == 0 ? "it depends on the checkpoint, of which nothing is known: "
                                                  : "it depends on the checkpoint, of which only the name is known: ") +
          verdict.reason;
    }
    verdict.evidence.assign(rule.evidence.begin(), rule.evidence.end());
  }

  const Engine& engine_;
  const Deployment& deployment_;
  bool checkpoint_known_;
  bool more_;  // words of the line may be any arguments
  bool own_model_;
  Diagnostics& notes_;
};

}  // namespace

std::vector<Verdict> judge_line(const Engine& engine, const Deployment& deployment, const Line& line,
                                Diagnostics& notes) {
  std::vector<Verdict> out = judge_each(engine, deployment, line.arguments, line.literal);
  for (std::size_t i = 0; i < out.size(); ++i) out[i].inside = line.arguments[i].inside;
  if (!line.checkpoint_known && deployment.checkpoint == 0 && deployment.facts == nullptr)
    notes.add(Code::kCheckpointNotGiven, "model_quantization");
  LineRules(engine, deployment, line, notes).apply(out);
  return out;
}

}  // namespace quantmap
