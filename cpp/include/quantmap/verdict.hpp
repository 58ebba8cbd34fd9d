// A judgement on arguments that someone else chose: accepted, unknown, refused, and what to write instead.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "quantmap/map.hpp"

namespace quantmap {

enum class Judgement : std::uint8_t {
  kAccepted,
  kUnknownFlag,
  kValueNotAccepted,
  kRefusedAtStart,
  kFailsLater,
  kNoEffect,
  kAssumed
};
inline constexpr Judgement kLastJudgement = Judgement::kAssumed;

struct Verdict {
  std::string flag;  // as given
  std::string value;
  Judgement judgement = Judgement::kAccepted;
  std::string canonical;  // the release's own spelling, when it has one
  std::string reason;
  std::string hint;
  std::vector<std::string> evidence;
};

[[nodiscard]] std::string_view name_of(Judgement judgement) noexcept;
[[nodiscard]] bool is_refusal(Judgement judgement) noexcept;
// What it means for an argument that a rule of this stage holds.
[[nodiscard]] Judgement judgement_of(Stage stage) noexcept;

// The name with other dashes or underscores by which a release has the flag; empty when there is none.
[[nodiscard]] std::string other_dashes(const Surface& surface, std::string_view name, ReleaseNumber release);

// The flag that a spelling means in a release, dashes and underscores being equal; nothing when there is none.
[[nodiscard]] std::optional<KnownFlag> find_spelling(const Surface& surface, std::string_view name,
                                                     ReleaseNumber release);

// The flag that the parser takes a short one for that the release does not have itself.
[[nodiscard]] std::optional<KnownFlag> find_rewritten(const Engine& engine, std::string_view name,
                                                      ReleaseNumber release);

// How a spelling is written: the flag's own name; an alias that says the opposite of the flag keeps its own.
[[nodiscard]] std::string_view written_name(const KnownFlag& known, std::string_view spelling);

// What the parser makes of each argument, in order; no rule is asked. `literal`: these are the words of a line, not
// parameters by name, whose dashes are free and whose form is up to who renders them.
[[nodiscard]] std::vector<Verdict> judge_each(const Engine& engine, const Situation& situation,
                                              const std::vector<Argument>& arguments, bool literal);

// What judged arguments set: the values of the rules' targets, and which argument each is from.
struct Given {
  TargetValues values;
  std::vector<std::size_t> by;  // kNotGiven: no argument sets the target
};
inline constexpr std::size_t kNotGiven = static_cast<std::size_t>(-1);
[[nodiscard]] Given given_values(const Engine& engine, const std::vector<Verdict>& verdicts);

// One verdict per argument, in order. Combinations are judged over all of them.
[[nodiscard]] std::vector<Verdict> judge(const Engine& engine, const Situation& situation,
                                         const std::vector<Argument>& arguments);

// The verdict on one argument, whatever else is given: rules that relate it to others do not count.
[[nodiscard]] Verdict judge_alone(const Engine& engine, const Situation& situation, const Argument& argument);

// Refusals as diagnostics, at the path of the parameters.
void report_refusals(const Engine& engine, const Situation& situation, const std::vector<Verdict>& verdicts,
                     const std::vector<Argument>& arguments, Diagnostics& out);

}  // namespace quantmap
