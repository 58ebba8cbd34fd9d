// A matrix through one or several recipes, a block of rows at a time, on as many threads as asked.
//
// Blocks are cut by the matrix alone and added up in their order, so nothing depends on the number of threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "quantmap/catalog/recipe_tables.hpp"
#include "quantmap/quantize/matrix.hpp"

namespace quantmap {

// What a recipe does to a matrix.
struct ErrorSums {
  std::uint64_t elements = 0;
  double signal = 0;          // Σ w²
  double noise = 0;           // Σ (w - ŵ)²
  double dot = 0;             // Σ w·ŵ
  std::uint64_t created = 0;  // values that became zero and were none
  std::uint64_t clipped = 0;  // values beyond the last code
  std::uint64_t rows = 0;
  std::uint64_t dead_rows = 0;   // all zero before
  std::uint64_t lost_rows = 0;   // all zero after, and not before
  std::uint64_t small_rows = 0;  // of nothing but numbers below the least normal one
  double worst_row_error = 0;    // the largest Σ (w - ŵ)² / Σ w² of a row
  std::uint64_t worst_row = 0;
  double peak = 0;  // the largest max|w| / √(mean w²) of a row
  // Of the layer's output, where its inputs are known.
  double output_signal = 0;  // Σ (x·w)²
  double output_noise = 0;   // Σ (x·(w - ŵ))²
};

// The part of the result for a block of rows. Scales stand tile by tile, one row of tiles after the other.
struct BlockOut {
  std::size_t recipe = 0;
  std::size_t row = 0;
  std::size_t rows = 0;
  std::size_t tile_row = 0;
  std::size_t tile_rows = 0;
  std::size_t tile_columns = 0;
  const std::uint8_t* codes = nullptr;  // one byte each
  const float* scale = nullptr;
  const std::uint8_t* scale_bits = nullptr;
  const float* zero = nullptr;
};

struct RecipeOut {
  ErrorSums sums;
  float global = 1;           // the scale over all tiles of recipes with two levels
  std::size_t tile_rows = 0;  // of the grid of scales
  std::size_t tile_columns = 0;
};

enum class Failure : std::uint8_t { kNone, kNotFinite, kNotRead, kNotWritten, kStopped };

struct ProcessOut {
  Failure failure = Failure::kNone;
  std::size_t row = 0;  // where
  std::vector<RecipeOut> recipes;
};

// So many rows from the first: a pointer to them, which may be into the buffer; null when they cannot be read.
using ReadRows = std::function<const void*(std::size_t first, std::size_t rows, std::vector<unsigned char>& buffer)>;
// Called from any thread, blocks in any order; false stops.
using WriteBlock = std::function<bool(const BlockOut&)>;
// Called from any thread with bytes that were read; false stops.
using Progress = std::function<bool(std::size_t bytes)>;

// What is known of a layer's inputs: nothing, the mean square of each, or some of them. One of the two is empty.
struct Inputs {
  std::span<const float> moments;  // one for each column
  std::span<const float> tokens;   // whole rows of columns
  [[nodiscard]] bool known() const noexcept { return !moments.empty() || !tokens.empty(); }
};

struct ProcessIn {
  Matrix shape;  // its values are not looked at
  ReadRows read;
  WriteBlock write;   // or empty
  Progress progress;  // or empty
  std::size_t threads = 1;
  std::size_t kernel = 0;  // which build (kernel_names); beyond the last: the best
  // The largest magnitude of the whole matrix, when these are rows of a larger one.
  std::optional<float> absmax;
  Inputs inputs;
};

// Rows that are wider are refused before: a row has to fit in memory.
inline constexpr std::size_t kMostColumns = 1U << 24U;

[[nodiscard]] ProcessOut process(const ProcessIn& in, std::span<const Recipe* const> recipes);

// The largest magnitude; `row` of the result is where one is not finite.
[[nodiscard]] float absmax_of(const ProcessIn& in, ProcessOut& out);

// Names of the builds that this processor can run, the best last.
[[nodiscard]] std::vector<std::string_view> kernel_names();

// Rows and columns of a recipe's tiles on a matrix.
[[nodiscard]] std::size_t tile_rows_of(const Recipe& recipe, std::size_t rows) noexcept;
[[nodiscard]] std::size_t tile_columns_of(const Recipe& recipe, std::size_t columns) noexcept;

// Codes back to values: out[i] = level(code) · scale, one float for each code.
void dequantize(const Recipe& recipe, std::span<const std::uint8_t> codes, std::size_t columns,
                std::span<const float> scale, std::span<const float> zero, float global, std::span<float> out);

}  // namespace quantmap
