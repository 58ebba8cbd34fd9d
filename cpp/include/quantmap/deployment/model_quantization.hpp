// What a caller says of the model's own quantization.
#pragma once

#include <string>

#include "quantmap/base/diagnostic.hpp"
#include "quantmap/base/value.hpp"
#include "quantmap/catalog/catalog.hpp"

namespace quantmap {

// How the model's own quantization was given.
struct ModelQuantization {
  bool quantized = false;
  std::string method;                    // lower case; empty when not quantized
  bool given = false;                    // whether anything was said about it at all
  bool dense = false;                    // known to have no experts
  ModelKind kind = ModelKind::kUnknown;  // its attention, when its files were read
  std::int64_t head_size = 0;            // of that attention; 0: not known, or not the same in all layers
};

// Reads a model_quantization argument; what cannot be read counts as not quantized, with a warning.
[[nodiscard]] ModelQuantization read_model_quantization(const Value& value, Diagnostics& warnings);

}  // namespace quantmap
