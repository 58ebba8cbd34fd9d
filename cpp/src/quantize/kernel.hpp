// The work on one row of a matrix, in one build for each kind of processor. All builds give the same bits: they come
// from one text (kernel_rows.hpp), multiply and add apart, and add up in sixteen sums whatever the width of a register.
// AVX2 has a quicker way for most rows (kernel_quick.hpp), which is held to the same bits by tests and by fuzzing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "quantmap/catalog/recipe_tables.hpp"
#include "quantmap/quantize/matrix.hpp"

namespace quantmap {

inline constexpr std::size_t kLanes = 16;  // sums that are kept apart; tiles are multiples of it

// How a value becomes a code, for all tiles of a matrix.
struct Encoding {
  Element element = Element::kInt8;
  Rounding rounding = Rounding::kEven;
  bool divide = false;               // by the factor; else times the factor
  Stored round_to = Stored::kFloat;  // quotients are rounded to it
  bool flush = false;                // numbers below the least normal one are zero
  float low = 0;
  float high = 0;
};

// One row, or a part of it that begins with a tile. A tile's factor, scale and zero point stand at the same index.
struct RowSpan {
  const void* values = nullptr;
  Stored type = Stored::kFloat;
  std::size_t count = 0;
  std::size_t tile = 0;  // columns of a tile
  const float* factor = nullptr;
  const float* scale = nullptr;  // a code times it is the value again
  const float* zero = nullptr;   // or null
  std::uint8_t* codes = nullptr;
  float largest = 0;  // no magnitude of the row is larger
};

// Where the scales of a row of tiles go; there is room for kLanes more than there are tiles.
struct TileScales {
  float* stored = nullptr;
  std::uint8_t* bits = nullptr;
  float* back = nullptr;
  float* factor = nullptr;
};

// The two short ways to the scales of small tiles: powers of two, or e4m3 under one scale of the whole matrix.
struct ScaleSteps {
  bool powers = false;
  std::int32_t offset = 0;  // of powers
  float share = 0;          // of a tile's largest magnitude: one over the largest code
  float global = 1;
};

struct RowSums {
  double signal = 0;          // Σ w²
  double noise = 0;           // Σ (w - ŵ)²
  double dot = 0;             // Σ w·ŵ
  std::uint64_t created = 0;  // zeros that were none
  std::uint64_t clipped = 0;  // values beyond the last code
};

struct Kernels {
  std::string_view name;
  // The largest magnitude of each tile, and of all; a NaN or an infinity gives one.
  float (*absmax)(const void* values, Stored type, std::size_t count, std::size_t tile, float* out);
  void (*scales)(const ScaleSteps& steps, const float* absmax, std::size_t count, const TileScales& out);
  void (*encode)(const Encoding& encoding, const RowSpan& span, RowSums& sums);
};

// Every build that this processor can run, the best last; the first is the one that runs everywhere.
[[nodiscard]] std::size_t kernel_count() noexcept;
[[nodiscard]] const Kernels& kernels(std::size_t index) noexcept;

}  // namespace quantmap
