// The steps of an estimate.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "quantmap/deployment/constraints.hpp"
#include "quantmap/memory/fit.hpp"

namespace quantmap {

// A share of memory above 0 and up to 1; null is nothing.
[[nodiscard]] std::optional<double> read_share(const Value& value, Diagnostics& problems);

// Warns when heads do not divide over the GPUs.
void report_uneven(const Architecture& model, MemoryFit& fit);

// Bits of one number as it lies in a GPU's memory.
struct StoredBits {
  double plain = 16;   // what is not quantized
  double linear = 16;  // linear layers outside experts
  double experts = 16;
  double kv = 16;
  double kv_head = 0;   // of a scale for each token and head
  bool online = false;  // weights are quantized while loading
};

class FitBuilder {
 public:
  FitBuilder(const Checkpoint& checkpoint, MemoryFit& fit, std::optional<double> fraction)
      : checkpoint_(checkpoint), model_(*checkpoint.architecture), fit_(fit), fraction_(fraction) {}

  void build();

 private:
  void read_bits();
  void read_checkpoint_bits();
  void describe_weights();
  void describe_cache();
  [[nodiscard]] double stored_bytes(ModuleClass part, double share, double counted) const;
  [[nodiscard]] double weight_bytes(const PipelineStage& stage) const;
  [[nodiscard]] double sequence_bytes(const CacheShape& shape, std::int64_t tokens) const;
  [[nodiscard]] double activation_bytes() const;
  [[nodiscard]] std::optional<double> engine_fraction();
  void divide_memory(double weights);
  void judge(const CacheShape& shape);
  void assume(std::string text) { fit_.assumptions.push_back(std::move(text)); }

  const Checkpoint& checkpoint_;
  const Architecture& model_;
  MemoryFit& fit_;
  std::optional<double> fraction_;
  StoredBits bits_;
  bool tied_ = false;
};

}  // namespace quantmap
