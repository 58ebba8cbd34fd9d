// What the error of a row of weights does to the output of its layer.
#pragma once

#include <cstdint>
#include <vector>

#include "quantize/kernel.hpp"
#include "quantmap/quantize/process.hpp"

namespace quantmap {

// A row as it was, and what is missing of it after.
struct RowErrors {
  std::vector<float> value;
  std::vector<float> error;
};

// Adds Σ (x·w)² and Σ (x·(w - ŵ))² of one row over the inputs that are known.
void add_output(const Inputs& inputs, Element element, const RowSpan& span, RowErrors& room, ErrorSums& sums);

}  // namespace quantmap
