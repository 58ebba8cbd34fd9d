// Sizes of a model over the GPUs that share it, and the length of its context: what does not go is refused, with what
// does.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "quantmap/deployment/constraints.hpp"

namespace quantmap {

struct ParallelSizes {
  std::int64_t tp = 1;
  std::int64_t pp = 1;
  std::int64_t ep = 1;         // GPUs that the experts are spread over
  std::int64_t expert_tp = 1;  // GPUs that share one expert
  std::int64_t context = 0;    // tokens of the longest sequence; 0: not said
};

// A share that is not whole, or no multiple of what its kernel wants.
struct ShapeProblem {
  const Shape* shape = nullptr;
  std::string reason;  // "18432 of the dense MLP over 32 GPUs is 576, no multiple of 128"
  bool assumed = false;
};

// The targets that could change the share, the likeliest first; none where nothing is divided.
[[nodiscard]] std::vector<int> targets_of(const Engine& engine, const Shape& shape);

[[nodiscard]] ParallelSizes parallel_sizes(const Engine& engine, const TargetValues& values);
// Nothing while no model was read.
[[nodiscard]] std::vector<ShapeProblem> shape_problems(const Engine& engine, const Deployment& deployment,
                                                       const TargetValues& values);
// The longest context that the release lets this model have, with nothing that lets it be longer; 0: none is known.
[[nodiscard]] std::int64_t longest_context(const Engine& engine, const Deployment& deployment);
// The tensor-parallel sizes up to 64 (powers of two and divisors of the heads) that meet no problem, the others being
// as they are.
[[nodiscard]] std::vector<std::int64_t> sizes_that_go(const Engine& engine, const Deployment& deployment,
                                                      const TargetValues& values);
// What goes in place of a problem: "use tensor parallelism of 1, 2 or 4", with experts also whether spreading them
// helps; of a context that is too long, the length that goes and what lets it be longer. Empty: no size goes.
[[nodiscard]] std::string sizes_hint(const Engine& engine, const Deployment& deployment, const TargetValues& values,
                                     const Shape& shape);

// Tells of a launch as a whole that a size does not go: when it starts, or only when weights are loaded or a step runs.
void report_size(const Engine& engine, const Deployment& deployment, const ShapeProblem& problem,
                 const std::string& hint, Diagnostics& out);

}  // namespace quantmap
