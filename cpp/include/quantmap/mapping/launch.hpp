// The whole way in one call: runtime name, config, parameters, model → mapping, or all problems at once.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "quantmap/base/diagnostic.hpp"
#include "quantmap/base/value.hpp"
#include "quantmap/mapping/map.hpp"
#include "quantmap/model/checkpoint.hpp"

namespace quantmap {

enum class Policy : std::uint8_t { kDegrade, kStrict, kLiteral };

struct LaunchRequest {
  Value runtime;
  Value quant_config;
  Value user_parameters;
  Value model_quantization;
  Value engine_version;
  Value gpu;
  Value checkpoint;                             // a path, the id of a model, or a config
  std::shared_ptr<const Checkpoint> inspected;  // the same, read already
  Value policy;                                 // null: the default where a release is known, else to degrade
  Value image_tag;                              // a task's runtime_image_tag
  Value activations;                            // true or false; null is true
  std::string default_versions;                 // "sglang=0.5.2,vllm=0.11.0"
  std::string default_gpu;                      // where a release is known and no GPU is named
  std::string default_policy;                   // where a release is known and no policy is named
  std::string model_cache;                      // the folder that holds models by id; empty: there is none
  bool arguments_only = false;                  // get_runtime_args: no files, no variables
  Wording wording = Wording::kFull;
};

// The engine that a runtime name means, with any version suffix split off into `version`.
[[nodiscard]] const Engine* read_runtime(const Value& runtime, std::string& version, Diagnostics& problems);

// Mode, release and GPU of a request, from the four places where a version can stand.
[[nodiscard]] std::optional<Deployment> read_deployment(const LaunchRequest& request, const Engine& engine,
                                                        const std::string& suffix, Diagnostics& problems);

// Whether "sglang=0.5.2,vllm=0.11.0" names a release of the engine.
[[nodiscard]] bool names_default(std::string_view list, const Engine& engine);

[[nodiscard]] std::optional<Policy> read_policy(const Value& value, Diagnostics& problems);
// Of a request: what it names, else `fallback` where a release is known, else to degrade.
[[nodiscard]] std::optional<Policy> read_policy(const Value& value, const std::string& fallback, bool checked,
                                                Diagnostics& problems);
// Reports what means something in checked mode only.
void need_version(const LaunchRequest& request, Policy policy, Diagnostics& problems);

// map_config, without settings of experts for a dense model; by policy literal the documented mapping, in the
// deployment of a release.
[[nodiscard]] Mapping map_by_policy(const Config& config, const Engine& engine, const ModelQuantization& model,
                                    const Deployment& deployment, Policy policy, Wording wording = Wording::kFull);
// Policy strict: whatever is not applied at the precision asked is an error, and so is every refusal.
void enforce_strict(const Mapping& mapping, Diagnostics& problems);
// The model of a request: what its files say, else what the caller says. Nothing when `problems` got an error.
[[nodiscard]] std::optional<ModelQuantization> read_model(const LaunchRequest& request, Diagnostics& warnings,
                                                          Diagnostics& problems);

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
