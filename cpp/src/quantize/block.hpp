// A block of rows through one recipe.
#pragma once

#include <optional>
#include <vector>

#include "quantize/kernel.hpp"
#include "quantize/output.hpp"
#include "quantize/scale.hpp"
#include "quantmap/quantize/process.hpp"

namespace quantmap {

// What is the same for all blocks of a matrix.
struct Prepared {
  const Recipe* recipe = nullptr;
  const Kernels* kernels = nullptr;
  Encoding encoding;
  Stored type = Stored::kFloat;
  std::size_t rows = 0;  // of the matrix
  std::size_t columns = 0;
  std::size_t tile_rows = 0;  // rows and columns of a tile
  std::size_t tile_columns = 0;
  std::size_t grid_columns = 0;
  float absmax = 0;  // of the matrix, where the recipe asks for it
  float global = 1;
  std::optional<ScaleSteps> steps;  // where the scales of small tiles have a short way
  Inputs inputs;
};

[[nodiscard]] Prepared prepare(const Recipe& recipe, const Kernels& kernels, const Matrix& shape, float absmax);
// Whether scales depend on the whole matrix.
[[nodiscard]] bool needs_whole(const Recipe& recipe) noexcept;

// Room for one block; kept from block to block.
struct BlockRoom {
  bool keep_codes = true;  // of all rows, else of one at a time
  std::vector<std::uint8_t> codes;
  std::vector<float> absmax;
  std::vector<float> factor;
  std::vector<float> back;
  std::vector<float> scale;
  std::vector<float> zero;
  std::vector<std::uint8_t> bits;
  RowErrors errors;
};

// Quantizes the rows from `first`, which begins a tile. False when one is not finite: `bad_row` says which.
bool quantize_block(const Prepared& how, const void* values, std::size_t first, std::size_t rows, BlockRoom& room,
                    ErrorSums& sums, std::size_t& bad_row);

void add(ErrorSums& to, const ErrorSums& from);

[[nodiscard]] float value_at(const void* values, Stored type, std::size_t index);
// What a code stands for, before zero point and scale.
[[nodiscard]] float level_of(Element element, std::uint8_t code);

}  // namespace quantmap
