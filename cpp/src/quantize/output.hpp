// What the error of a row of weights does to the output of its layer, and the sums of rows whose squares are no floats.
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

// Whether the squares of numbers of this size, and of their errors, are floats that have all their bits.
[[nodiscard]] bool squares_fit(float largest);
// The signal, the noise and the product of a row whose squares do not fit, in doubles.
void sum_exactly(Element element, const RowSpan& span, RowErrors& room, RowSums& sums);

}  // namespace quantmap
