// Rules: what a parser cannot see.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "quantmap/base/diagnostic.hpp"
#include "quantmap/catalog/catalog.hpp"
#include "quantmap/deployment/deployment.hpp"
#include "quantmap/release/argument_schema.hpp"

namespace quantmap {

// The values of a mode's targets, by target index; "" when not set.
using TargetValues = std::vector<std::string>;

// What the values of targets stand for here: aliases are one value, what is left to the model is what it says, and what
// the engine does not look at is not set.
class EffectiveValues {
 public:
  // `apart`: the values are those of a part of the launch that a flag of its own sets.
  EffectiveValues(const Engine& engine, const Deployment& deployment, const TargetValues& values, bool apart = false);

  [[nodiscard]] std::string_view operator[](std::size_t target) const noexcept {
    return in_mask(kept_, target) ? std::string_view() : given_[target];
  }
  // Also what the engine keeps something else for.
  [[nodiscard]] std::string_view as_given(std::size_t target) const noexcept { return given_[target]; }
  // What the engine puts in place of something that was asked, with a warning at most; null: nothing.
  [[nodiscard]] const Meaning* replaced() const noexcept { return replaced_; }

 private:
  static constexpr std::size_t kMostTargets = 64;  // a law of the catalogue
  std::array<std::string_view, kMostTargets> given_{};
  const Meaning* replaced_ = nullptr;
  std::uint64_t kept_ = 0;  // bit i: the engine keeps something else for target i
};

// Where a rule is about what is served, as far as it is known.
enum class Reach : std::uint8_t {
  kNothing,          // of another release, model or GPU
  kSomeGpus,         // no GPU is named; it is about some
  kUnnamedGpu,       // likewise, and what quantmap writes keeps clear of it
  kSomeCheckpoints,  // nothing certain is known of the checkpoint; it is about some
  kHere
};
[[nodiscard]] Reach reach_of(const Constraint& rule, const Deployment& deployment, bool checkpoint_known = true);
// Whether what quantmap writes, or is given by name, must not meet it.
[[nodiscard]] inline bool holds_here(const Constraint& rule, const Deployment& deployment) {
  // Most rules are of other releases, and every judgement asks all of them.
  if (!covers(rule.since, rule.until, deployment.release)) return false;
  const Reach reach = reach_of(rule, deployment);
  return reach == Reach::kHere || reach == Reach::kUnnamedGpu;
}

[[nodiscard]] bool terms_hold(std::span<const RuleTerm> terms, const EffectiveValues& values) noexcept;
// Whether these values are such as the rule is about.
[[nodiscard]] bool is_met(const Constraint& rule, const EffectiveValues& values) noexcept;
// Whether it looks at one target alone.
[[nodiscard]] bool is_about_one(const Constraint& rule) noexcept;

// The first rule that refuses these values here, of those that look at one of these targets (bit i: target i).
[[nodiscard]] const Constraint* refused_by(const Engine& engine, const Deployment& deployment,
                                           const TargetValues& values, std::uint64_t looks_at = ~std::uint64_t{0});
// How it is told that nothing is served, whatever is asked: at start-up, or later, as this says.
struct WholeRefusal {
  Code code;
  Context context;
};
[[nodiscard]] WholeRefusal whole_refusal(const Engine& engine, ReleaseNumber release, Stage stage,
                                         std::string_view reason);
// Whether a diagnostic refuses the launch as a whole.
[[nodiscard]] bool refuses_whole(const Diagnostic& diagnostic) noexcept;

// The first rule by which nothing at all is served here.
[[nodiscard]] const Constraint* nothing_served(const Engine& engine, const Deployment& deployment);

// Rules that would refuse on some GPUs, when no GPU is given.
[[nodiscard]] std::vector<const Constraint*> conditional_rules(const Engine& engine, const Deployment& deployment,
                                                               const TargetValues& values);

// "sm70, sm75": the classes of a mask.
[[nodiscard]] std::string gpu_names(std::uint16_t mask);

// What a row about a kernel names; other rows are about a part of the model.
inline constexpr std::string_view kAttentionBackend = "backend";
inline constexpr std::string_view kLinearKernel = "linear_kernel";
inline constexpr std::string_view kExpertsBackend = "experts_backend";
// What rows are about, and what people call it.
inline constexpr Pair kPrecisionParts[] = {{"gemm", "linear layers"},
                                           {"moe", "experts"},
                                           {"kv", "KV cache"},
                                           {"attention", "attention"},
                                           {kAttentionBackend, "attention backend"},
                                           {kLinearKernel, "linear layers' kernel"},
                                           {kExpertsBackend, "experts' backend"}};
[[nodiscard]] inline bool is_about_kernel(const Precision& row) noexcept {
  return row.of == kAttentionBackend || row.of == kLinearKernel || row.of == kExpertsBackend;
}
// The part of the model → what it will really be, and the kernels that the release takes by itself.
[[nodiscard]] std::vector<const Precision*> effective_precision(const Engine& engine, const Deployment& deployment,
                                                                const TargetValues& values);

}  // namespace quantmap
