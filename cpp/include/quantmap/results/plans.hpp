// What the results of a plan hold, where their fields are no members of the same name.
#pragma once

#include <string>
#include <string_view>

#include "quantmap/plan/plan.hpp"
#include "quantmap/results/launches.hpp"

namespace quantmap::results {

template <>
struct Read<Experiment> {
  using Class = classes::Experiment;
  static std::string_view version(const Experiment& it) { return version_of(*it.engine, it.deployment); }
  static Arguments args(const Experiment& it) { return arguments_of(it.arguments, true); }
  static Arguments env(const Experiment& it) { return arguments_of(it.arguments, false); }
  static Texts files(const Experiment& it) { return files_of(it.files); }
};

// The first point of what was left out.
struct SkipExample {
  const Skip& skip;
};

template <>
struct Read<SkipExample> {
  using Class = classes::SkippedPoint;
  static const Engine* engine(const SkipExample& it) { return it.skip.engine; }
  static const Value& config(const SkipExample& it) { return it.skip.config; }
  static const Value& parameters(const SkipExample& it) { return it.skip.parameters; }
};

template <>
struct Read<Skip> {
  using Class = classes::Skip;
  static std::string_view code(const Skip& it) { return it.cause.text().code; }
  static const std::string& path(const Skip& it) { return it.cause.path; }
  static std::string message(const Skip& it) { return it.cause.message(); }
  static std::string hint(const Skip& it) { return it.cause.hint(); }
  static SkipExample example(const Skip& it) { return {it}; }
};

template <>
struct Read<PlanTarget> {
  using Class = classes::Target;
  static std::string_view engine_name(const PlanTarget& it) { return it.engine->name; }
  static std::string_view mode(const PlanTarget& it) { return mode_of(it.deployment); }
  static std::string_view version(const PlanTarget& it) { return version_of(*it.engine, it.deployment); }
  static std::string_view gpu(const PlanTarget& it) { return gpu_of(it.deployment); }
  static Count times(const PlanTarget& it) { return it.repeats; }
};

}  // namespace quantmap::results
