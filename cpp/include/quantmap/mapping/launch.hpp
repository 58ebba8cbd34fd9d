// The whole way in one call: runtime name, config, parameters, model → mapping, or all problems at once.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "quantmap/base/diagnostic.hpp"
#include "quantmap/base/value.hpp"
#include "quantmap/mapping/map.hpp"
#include "quantmap/mapping/request.hpp"

namespace quantmap {

enum class Policy : std::uint8_t { kDegrade, kStrict, kLiteral };

struct LaunchRequest : DeploymentRequest {
  Value runtime;
  Value quant_config;
  Value user_parameters;
  Value policy;                // null: the default where a release is known, else to degrade
  std::string default_policy;  // where a release is known and no policy is named
  Wording wording = Wording::kFull;
};

[[nodiscard]] std::optional<Policy> read_policy(const Value& value, Diagnostics& problems);
// Of a request: what it names, else `fallback` where a release is known, else to degrade.
[[nodiscard]] std::optional<Policy> read_policy(const Value& value, const std::string& fallback, bool checked,
                                                Diagnostics& problems);
// Reports what means something in checked mode only.
void need_version(const DeploymentRequest& request, Policy policy, Diagnostics& problems);

// map_config, without settings of experts for a dense model; by policy literal the documented mapping, in the
// deployment of a release.
[[nodiscard]] Mapping map_by_policy(const Config& config, const Engine& engine, const ModelQuantization& model,
                                    const Deployment& deployment, Policy policy, Wording wording = Wording::kFull,
                                    const TargetValues* beside = nullptr);
// Policy strict: whatever is not applied at the precision asked is an error, and so is every refusal.
void enforce_strict(const Mapping& mapping, Diagnostics& problems);
// A dense model has no use for settings of experts: the config without them, and a note for each afterwards.
[[nodiscard]] Config without_experts(const Config& config);
void note_dense(const Config& asked, Mapping& mapping);

// Nothing when `problems` got an error; its warnings are in the mapping's diagnostics.
[[nodiscard]] std::optional<Mapping> launch(const LaunchRequest& request, Diagnostics& problems);

struct LaunchReading;

// Why configs and parameters come to no launch, or to one that the release refuses, on one ground: its engine, release,
// GPU and model are read once, and so is each config.
class Refusals {
 public:
  explicit Refusals(LaunchRequest ground);

  // Empty when nothing is known against it. The words of what is applied are left out, so this is several times cheaper
  // than a launch.
  [[nodiscard]] std::string of(Value quant_config, Value user_parameters) const;

 private:
  struct Mapped;
  struct Met;

  [[nodiscard]] std::shared_ptr<const Mapped> mapped(const Value& quant_config) const;

  LaunchRequest ground_;
  std::shared_ptr<const LaunchReading> read_;  // nothing when there is a problem with the ground itself
  std::shared_ptr<Met> met_;
};

}  // namespace quantmap
