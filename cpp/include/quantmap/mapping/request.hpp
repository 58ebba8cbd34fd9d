// Where something is to be served, as it was asked for: the part that every request has, and how it is read.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "quantmap/base/diagnostic.hpp"
#include "quantmap/base/value.hpp"
#include "quantmap/deployment/deployment.hpp"
#include "quantmap/deployment/model_quantization.hpp"
#include "quantmap/model/checkpoint.hpp"

namespace quantmap {

struct DeploymentRequest {
  Value engine_version;
  Value gpu;
  Value checkpoint;                             // a path, the id of a model, or a config
  std::shared_ptr<const Checkpoint> inspected;  // the same, read already
  Value model_quantization;
  Value image_tag;               // the tag of the image that the engine runs in
  Value activations;             // true or false; null is true
  std::string default_versions;  // "sglang=0.5.2,vllm=0.11.0"
  std::string default_gpu;       // where a release is known and no GPU is named
  std::string model_cache;       // the folder that holds models by id; empty: there is none
  bool arguments_only = false;   // get_runtime_args: no files, no variables

  // Whether it says anything of the model.
  [[nodiscard]] bool names_model() const {
    return !checkpoint.is_null() || inspected != nullptr || !model_quantization.is_null();
  }
};

// The engine that a runtime name means, with any version suffix split off into `version`.
[[nodiscard]] const Engine* read_runtime(const Value& runtime, std::string& version, Diagnostics& problems);

// Mode, release and GPU of a request, from the four places where a version can stand.
[[nodiscard]] std::optional<Deployment> read_deployment(const DeploymentRequest& request, const Engine& engine,
                                                        const std::string& suffix, Diagnostics& problems);

// Whether "sglang=0.5.2,vllm=0.11.0" names a release of the engine.
[[nodiscard]] bool names_default(std::string_view list, const Engine& engine);

// The files of its model, read now unless they were; null when none is named or `problems` got an error.
[[nodiscard]] std::shared_ptr<const Checkpoint> read_checkpoint(const DeploymentRequest& request,
                                                                Diagnostics& problems);
// The model of a request: what its files say, else what the caller says. Nothing when `problems` got an error.
[[nodiscard]] std::optional<ModelQuantization> read_model(const DeploymentRequest& request, Diagnostics& warnings,
                                                          Diagnostics& problems);

}  // namespace quantmap
