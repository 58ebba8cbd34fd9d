// From the range of a tile to its scale, and to the factor that makes codes.
#pragma once

#include <cstdint>
#include <optional>

#include "quantize/kernel.hpp"
#include "quantmap/catalog/recipe_tables.hpp"

namespace quantmap {

struct TileRange {
  float absmax = 0;
  float least = 0;  // of recipes with zero points: the least and the largest value, zero among them
  float most = 0;
};

struct TileScale {
  float stored = 0;       // the scale as it is kept
  std::uint8_t bits = 0;  // the same in one byte, where the recipe keeps one
  float back = 0;         // a code times it is the value again
  float factor = 0;       // what the encoding divides by or multiplies with
  float zero = 0;
};

// The factor over all tiles, in recipes of two levels; else 1.
[[nodiscard]] float global_scale(const Recipe& recipe, Stored type, float absmax);
[[nodiscard]] TileScale tile_scale(const Recipe& recipe, Stored type, const TileRange& range, float global);
// The short way to the scales of many small tiles at once, which gives what tile_scale gives; none where there is none.
[[nodiscard]] std::optional<ScaleSteps> short_way(const Recipe& recipe, Stored type, float global);
[[nodiscard]] Encoding encoding_of(const Recipe& recipe, Stored type);
// Whether numbers below the least normal one can play a part: a tile's largest magnitude is near them.
[[nodiscard]] bool near_subnormal(float absmax);

}  // namespace quantmap
