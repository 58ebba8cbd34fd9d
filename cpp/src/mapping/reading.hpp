// The steps of a launch: a request is read, its config mapped, its parameters merged and judged.
#pragma once

#include <optional>

#include "quantmap/deployment/verdict.hpp"
#include "quantmap/mapping/launch.hpp"

namespace quantmap {

// What a request means; what could not be read is absent, and its problem told.
struct LaunchReading {
  const Engine* engine = nullptr;
  std::optional<Policy> policy;
  std::optional<Deployment> deployment;
  std::optional<Config> config;
  std::optional<ModelQuantization> model;
  Diagnostics warnings;
  VerdictsKept* verdicts = nullptr;  // of launches that share arguments; the caller's

  [[nodiscard]] bool is_whole() const { return engine != nullptr && policy && deployment && config && model; }
};

// Problems are told in the order engine, release, config, model; warnings in the order model, release.
[[nodiscard]] LaunchReading read_request(const LaunchRequest& request, Diagnostics& problems);
// What the config comes to, before any parameter; `read` gets its warnings.
[[nodiscard]] std::optional<Mapping> map_read(LaunchReading& read, Wording wording);
// The launch of what was read and mapped, with these parameters.
[[nodiscard]] std::optional<Mapping> launch_of(const LaunchReading& read, std::optional<Mapping> mapping,
                                               const Value& parameters, Wording wording, Diagnostics& problems);

}  // namespace quantmap
