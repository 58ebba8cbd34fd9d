// What a model has beside attention and MLP, as far as its config tells the sizes: states of recurrent layers, a
// vision tower, layers that guess further tokens, embeddings for each layer.
#pragma once

#include <cstdint>
#include <string>

#include "quantmap/base/diagnostic.hpp"
#include "quantmap/base/value.hpp"

namespace quantmap {

// A layer that keeps a state of fixed size: linear attention, Mamba, a short convolution. All counts are of the whole
// layer; a GPU of several has its part. 0: the config does not say.
struct RecurrentShape {
  double in = 0;            // columns of the projections from the hidden size
  double out = 0;           // rows of the projection back to it
  double extra = 0;         // further weights
  double convolved = 0;     // columns that a convolution runs over
  std::int64_t window = 0;  // tokens that the convolution looks back
  double state = 0;         // numbers of the state
  bool wide = false;        // the config asks for a state of 32 bits
  bool whole = false;       // `in` is one projection
  std::int64_t heads = 0;   // of the values; 0: it has none

  [[nodiscard]] bool known() const noexcept { return in > 0; }
};

struct VisionShape {
  double parameters = 0;  // 0: none
  double hidden = 0;
  double intermediate = 0;
  double patches = 0;          // of the largest picture that the engine tries out
  double tokens = 0;           // that the text model reads for it
  double declared_layers = 0;  // under the names that text models have for them; 0: not under these
  double declared_width = 0;
};

struct ModelParts {
  RecurrentShape recurrent;
  VisionShape vision;
  std::int64_t draft_layers = 0;  // that guess further tokens, and are loaded only for that
  double layer_embeddings = 0;    // numbers of embeddings for each layer
  std::string expert_type;        // of the stored experts, where it is not that of the other weights
};

[[nodiscard]] ModelParts read_model_parts(const Value& config, const Value& text, std::int64_t layers,
                                          std::int64_t hidden, const Path& path, Diagnostics& warnings);

}  // namespace quantmap
