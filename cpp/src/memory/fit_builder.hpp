// The steps of an estimate.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "memory/evaluate.hpp"

namespace quantmap {

struct Asked {
  std::int64_t tensor = 0;  // 0: not asked, like the others
  std::int64_t pipeline = 0;
  std::int64_t context = 0;
  std::int64_t concurrency = 1;
  std::optional<double> fraction;
  double weight_ratio = 1;
  double held_back = 0;
  bool corrected = false;
  bool cures = true;
  std::string model_cache;  // where a draft model is looked for
};

class FitBuilder {
 public:
  FitBuilder(const Checkpoint& checkpoint, MemoryFit& fit, const Asked& asked);

  void build();

 private:
  void take_sizes(const Asked& asked);
  void take_context();
  void read_draft(const std::string& cache);
  [[nodiscard]] double expert_bits() const;
  void read_bits();
  void read_cache_bits(const Precision* kv);
  void describe();
  void describe_weights();
  void describe_division();
  void describe_draft();
  void describe_cache(const Cache& cache);
  void describe_memory(const Parts& parts);
  void measure();
  void judge(const Cache& cache, double weights);
  void find_cures(const Cache& cache, const Parts& careful);
  [[nodiscard]] std::int64_t longest(const Cache& cache, double budget, std::int64_t concurrency) const;
  void assume(std::string text) { fit_.assumptions.push_back(std::move(text)); }

  MemoryFit& fit_;
  Inputs inputs_;
  Sizes sizes_;
  std::string kv_words_;
  bool cures_ = true;
};

// Warns when heads do not divide over the GPUs.
void report_uneven(const Architecture& model, MemoryFit& fit);

}  // namespace quantmap
