#include "draft_model.hpp"

#include <algorithm>

#include "line_model.hpp"
#include "quantmap/base/text.hpp"
#include "quantmap/catalog/codes.hpp"
#include "quantmap/deployment/shapes.hpp"

namespace quantmap {

namespace {

class DraftJudge {
 public:
  DraftJudge(const Line& line, Checked& out)
      : line_(line),
        out_(out),
        engine_(*out.engine),
        targets_(out.engine->checked.draft),
        given_(given_values(*out.engine, out.deployment, out.verdicts).front()) {}

  [[nodiscard]] const std::string& name() const { return text(targets_.model); }
  [[nodiscard]] std::size_t named_by() const { return given_.by[static_cast<std::size_t>(targets_.model)]; }

  // What is refused of the draft, and not of the model as well.
  void judge(const LineModel& draft) {
    known_ = draft.known;
    Deployment deployment = out_.deployment;
    take_model(draft.model, engine_, deployment);
    Diagnostics notes;
    const std::vector<Verdict> verdicts = judge_line(engine_, deployment, own_line(), notes);
    for (const Verdict& verdict : verdicts) {
      const bool refused =
          verdict.judgement == Judgement::kRefusedAtStart || verdict.judgement == Judgement::kFailsLater;
      if (refused && !is_told(verdict.reason)) return tell(verdict);
    }
    for (const Diagnostic& note : notes.all()) {
      if (!refuses_whole(note)) continue;
      Verdict whole;
      whole.judgement = Judgement::kRefusedAtStart;
      whole.reason = reason_of(note);
      if (!is_told(whole.reason)) return tell(whole);
    }
  }

 private:
  [[nodiscard]] const std::string& text(int target) const { return given_.values[static_cast<std::size_t>(target)]; }

  static std::string reason_of(const Diagnostic& note) {
    for (const auto& item : note.context) {
      if (item.first == "reason") return item.second;
    }
    return {};
  }

  [[nodiscard]] bool is_told(const std::string& reason) const {
    const auto& notes = out_.notes.all();
    return std::any_of(out_.verdicts.begin(), out_.verdicts.end(),
                       [&reason](const Verdict& verdict) { return verdict.reason == reason; }) ||
           std::any_of(notes.begin(), notes.end(),
                       [&reason](const Diagnostic& note) { return reason_of(note) == reason; });
  }

  void tell(const Verdict& found) {
    Verdict& verdict = out_.verdicts[named_by()];
    verdict.judgement = known_ ? found.judgement : Judgement::kAssumed;
    verdict.reason = "the draft model, " + quote(name()) + ": " + found.reason;
    verdict.hint = found.hint;
    verdict.evidence = found.evidence;
  }

  // The arguments of the launch that hold for the draft, with its own in place of the model's.
  [[nodiscard]] Line own_line() const {
    const int tp = engine_.checked.parallel.tp;
    const int method = engine_.kernels.roles.method;
    Line out{{}, line_.literal, true, line_.more};
    std::uint64_t left = targets_.leaves | bit(targets_.model);
    if (has(targets_.tp)) left |= bit(tp);
    if (has(targets_.method)) left |= bit(method);
    for (std::size_t i = 0; i < line_.arguments.size(); ++i) {
      if (!sets(i, left)) out.arguments.push_back(line_.arguments[i]);
    }
    if (has(targets_.tp)) add(tp, targets_.tp, out);
    if (has(targets_.method)) add(method, targets_.method, out);
    add_context(out);
    return out;
  }

  // A draft that has to keep up with the model is given the model's own length.
  void add_context(Line& out) const {
    const int context = engine_.checked.parallel.context;
    if (context < 0 || has(context) || has(engine_.checked.parallel.overrides) || (targets_.leaves & bit(context)) != 0)
      return;
    const auto& facts = out_.deployment.facts;
    if (facts == nullptr || facts->in_catalogue || !line_.own_model) return;
    const std::int64_t longest = longest_context(engine_, out_.deployment);
    if (longest > 0) out.arguments.push_back(argument(context, std::to_string(longest)));
  }

  [[nodiscard]] bool has(int target) const { return target >= 0 && !text(target).empty(); }
  static std::uint64_t bit(int target) { return target < 0 ? 0 : std::uint64_t{1} << static_cast<unsigned>(target); }

  [[nodiscard]] bool sets(std::size_t argument, std::uint64_t mask) const {
    for (std::size_t target = 0; target < given_.by.size(); ++target) {
      if (in_mask(mask, target) && given_.by[target] == argument) return true;
    }
    return false;
  }

  void add(int target, int of_draft, Line& out) const {
    if (target >= 0) out.arguments.push_back(argument(target, text(of_draft)));
  }

  [[nodiscard]] Argument argument(int target, std::string value) const {
    Argument out;
    out.flag = engine_.checked.targets[static_cast<std::size_t>(target)].routes.front().name;
    out.value = std::move(value);
    return out;
  }

  const Line& line_;
  Checked& out_;
  const Engine& engine_;
  const DraftTargets& targets_;
  bool known_ = false;  // more than its name, or what is assumed by it
  Given given_;
};

// Whether an argument may name a draft: most lines have none, and nothing more is asked of them.
bool may_name_draft(const Checked& launch) {
  const RowSet& checked = launch.engine->checked;
  if (checked.draft.model < 0) return false;
  const auto& routes = checked.targets[static_cast<std::size_t>(checked.draft.model)].routes;
  return std::any_of(launch.verdicts.begin(), launch.verdicts.end(), [&routes](const Verdict& verdict) {
    return std::any_of(routes.begin(), routes.end(),
                       [&verdict](const Channel& route) { return verdict.canonical.starts_with(route.name); });
  });
}

}  // namespace

void judge_draft(const Line& line, const CheckRequest& request, Checked& out) {
  if (!may_name_draft(out)) return;
  DraftJudge judge(line, out);
  const std::string name = judge.name();
  if (name.empty() || name == out.model || judge.named_by() == kNotGiven) return;
  if (is_refusal(out.verdicts[judge.named_by()].judgement)) return;
  Diagnostics unread;
  const LineModel draft = read_named_model(name, request.model_cache, unread);
  for (const Diagnostic& note : unread.all()) {
    if (note.code == Code::kModelNotRead) out.notes.add(note.code, note.path, note.context);
  }
  if (draft.model.facts != nullptr) judge.judge(draft);
}

}  // namespace quantmap
