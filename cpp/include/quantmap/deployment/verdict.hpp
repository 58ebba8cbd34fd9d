// A judgement on arguments that someone else chose: accepted, unknown, refused, and what to write instead.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quantmap/base/kept.hpp"
#include "quantmap/deployment/constraints.hpp"
#include "quantmap/deployment/kernels.hpp"
#include "quantmap/release/argument.hpp"

namespace quantmap {

enum class Judgement : std::uint8_t {
  kAccepted,
  kUnknownFlag,
  kValueNotAccepted,
  kRefusedAtStart,
  kFailsLater,
  kNoEffect,
  kAssumed,
  kDeprecated,
  kKnownTrouble
};
inline constexpr Judgement kLastJudgement = Judgement::kKnownTrouble;

struct Verdict {
  std::string flag;  // as given
  std::string value;
  Judgement judgement = Judgement::kAccepted;
  std::string canonical;  // the release's own spelling, when it has one
  std::string reason;
  std::string hint;
  std::vector<std::string> evidence;
  bool unset = false;  // the value sets nothing
  bool open = false;   // of a line: some of the value is not in it, or it may not be there
  std::string inside;  // the settings in the file that it names, as JSON
};

[[nodiscard]] std::string_view name_of(Judgement judgement) noexcept;
[[nodiscard]] bool is_refusal(Judgement judgement) noexcept;
// Whether nothing that a rule says changes it: a refusal stands, but for a value that the engine never looks at.
[[nodiscard]] inline bool is_settled(const Verdict& verdict, const Constraint& rule) noexcept {
  return is_refusal(verdict.judgement) && (!rule.kept || verdict.judgement != Judgement::kRefusedAtStart);
}
// What it means for an argument that a rule of this stage holds.
[[nodiscard]] Judgement judgement_of(Stage stage) noexcept;

// Verdicts on arguments by themselves: of one release, and of parameters by name.
using VerdictsKept = Kept<Verdict>;

// What the parser makes of each argument, in order; no rule is asked. `literal`: these are the words of a line, not
// parameters by name, whose dashes are free and whose form is up to who renders them.
[[nodiscard]] std::vector<Verdict> judge_each(const Engine& engine, const Deployment& deployment,
                                              const std::vector<Argument>& arguments, bool literal,
                                              VerdictsKept* kept = nullptr);

// What judged arguments set: the values of the rules' targets, and which argument each is from.
struct Given {
  TargetValues values;
  std::vector<std::size_t> by;  // kNotGiven: no argument sets the target
  bool apart = false;           // of a part of the launch that is set by itself
  std::uint64_t open = 0;       // bit i: what target i is set to is not in the line
};
// Whether a rule looks at a value that is not in the line: nothing can be said of it.
[[nodiscard]] bool looks_at_open(const Constraint& rule, const Given& given) noexcept;
inline constexpr std::size_t kNotGiven = static_cast<std::size_t>(-1);
// One for each part of the launch that is set apart ("--prefill-attention-backend"); nearly always there is one. Never
// empty.
[[nodiscard]] std::vector<Given> given_values(const Engine& engine, const Deployment& deployment,
                                              const std::vector<Verdict>& verdicts);

// An argument in place of whose value the engine takes another one.
void tell_replaced(const EffectiveValues& values, const Given& given, std::vector<Verdict>& verdicts);

// What the kernels of the release refuse of these arguments, told at the argument that it is about; else the reason
// why they take no launch of this model. `named_only`: only what is wrong with a named kernel by itself.
std::optional<KernelReason> judge_kernels(const Engine& engine, const Deployment& deployment, const Given& given,
                                          bool named_only, std::vector<Verdict>& verdicts);

// One verdict per argument, in order. Combinations are judged over all of them.
[[nodiscard]] std::vector<Verdict> judge(const Engine& engine, const Deployment& deployment,
                                         const std::vector<Argument>& arguments, VerdictsKept* kept = nullptr);

// The verdict on one argument, whatever else is given: rules that relate it to others do not count.
[[nodiscard]] Verdict judge_alone(const Engine& engine, const Deployment& deployment, const Argument& argument);

// Refusals as diagnostics, at the path of the parameters.
void report_refusals(const Engine& engine, const Deployment& deployment, const std::vector<Verdict>& verdicts,
                     const std::vector<Argument>& arguments, Diagnostics& out);

}  // namespace quantmap
