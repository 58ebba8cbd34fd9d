#include "quantize/output.hpp"

#include <algorithm>
#include <array>

#include "quantize/block.hpp"

namespace quantmap {

namespace {

constexpr std::size_t kParts = 16;  // sums kept apart, so that the compiler can keep them side by side

float product(const float* a, const float* b, std::size_t count) {
  std::array<float, kParts> sums{};
  std::size_t i = 0;
  for (; i + kParts <= count; i += kParts) {
    for (std::size_t part = 0; part < kParts; ++part) sums[part] += a[i + part] * b[i + part];
  }
  for (; i < count; ++i) sums[i % kParts] += a[i] * b[i];
  float out = 0;
  for (const float sum : sums) out += sum;
  return out;
}

void read_row(Element element, const RowSpan& span, RowErrors& room) {
  room.value.resize(span.count);
  room.error.resize(span.count);
  for (std::size_t begin = 0, tile = 0; begin < span.count; begin += span.tile, ++tile) {
    const std::size_t end = std::min(begin + span.tile, span.count);
    const float zero = span.zero == nullptr ? 0 : span.zero[tile];
    for (std::size_t i = begin; i < end; ++i) {
      const float value = value_at(span.values, span.type, i);
      room.value[i] = value;
      room.error[i] = value - (level_of(element, span.codes[i]) - zero) * span.scale[tile];
    }
  }
}

}  // namespace

void add_output(const Inputs& inputs, Element element, const RowSpan& span, RowErrors& room, ErrorSums& sums) {
  read_row(element, span, room);
  for (std::size_t i = 0; i < inputs.moments.size(); ++i) {
    const auto moment = static_cast<double>(inputs.moments[i]);
    sums.output_signal += moment * static_cast<double>(room.value[i]) * static_cast<double>(room.value[i]);
    sums.output_noise += moment * static_cast<double>(room.error[i]) * static_cast<double>(room.error[i]);
  }
  for (std::size_t begin = 0; begin < inputs.tokens.size(); begin += span.count) {
    const float* token = inputs.tokens.data() + begin;
    const auto signal = static_cast<double>(product(token, room.value.data(), span.count));
    const auto noise = static_cast<double>(product(token, room.error.data(), span.count));
    sums.output_signal += signal * signal;
    sums.output_noise += noise * noise;
  }
}

bool squares_fit(float largest) { return largest == 0 || (largest > 1e-12F && largest < 1e17F); }

void sum_exactly(Element element, const RowSpan& span, RowErrors& room, RowSums& sums) {
  read_row(element, span, room);
  sums.signal = sums.noise = sums.dot = 0;
  for (std::size_t i = 0; i < span.count; ++i) {
    const auto value = static_cast<double>(room.value[i]);
    const auto error = static_cast<double>(room.error[i]);
    sums.signal += value * value;
    sums.noise += error * error;
    sums.dot += value * (value - error);
  }
}

}  // namespace quantmap
