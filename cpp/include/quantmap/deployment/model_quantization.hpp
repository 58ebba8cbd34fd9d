// What a caller says of the model's own quantization.
#pragma once

#include <memory>
#include <string>

#include "quantmap/base/diagnostic.hpp"
#include "quantmap/base/value.hpp"
#include "quantmap/deployment/deployment.hpp"

namespace quantmap {

// What a caller or the model's files say of it.
struct ModelQuantization {
  bool quantized = false;
  std::string method;                    // lower case; empty when not quantized
  bool given = false;                    // whether anything was said about it at all
  bool dense = false;                    // known to have no experts
  ModelKind kind = ModelKind::kUnknown;  // its attention, when its files were read
  std::int64_t head_size = 0;            // of that attention; 0: not known, or not the same in all layers
  ModelMarks marks{};
  std::shared_ptr<const ModelFacts> facts{};  // null: only a name was given
};

// What a checkpoint's files say; its method by a name that means the kind of checkpoint it really is.
[[nodiscard]] ModelQuantization model_of(const Checkpoint& checkpoint);
// Sets whatever of a deployment is about its model, as this engine serves it.
void take_model(const ModelQuantization& model, const Engine& engine, Deployment& deployment);

// Reads a model_quantization argument; what cannot be read counts as not quantized, with a warning.
[[nodiscard]] ModelQuantization read_model_quantization(const Value& value, Diagnostics& warnings);

}  // namespace quantmap
