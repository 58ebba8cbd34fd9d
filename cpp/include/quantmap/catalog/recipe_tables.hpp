// The part of the catalogue that says how engines quantize: one row for each engine, scheme and interval of releases.
#pragma once

#include <cstdint>
#include <string_view>

#include "quantmap/catalog/rows.hpp"

namespace quantmap {

enum class Element : std::uint8_t { kInt8, kInt4, kE4m3, kE5m2, kE2m1 };
enum class RecipeUse : std::uint8_t { kWeight, kActivation, kCache };
// In what precision the steps are computed: float32, or every result rounded to the dtype of the input.
enum class Arithmetic : std::uint8_t { kFloat32, kInput };
enum class RangeRule : std::uint8_t { kAbsmax, kMinmax, kNone };
enum class ScaleRule : std::uint8_t {
  kFixed,              // 1
  kDivide,             // amax / limit
  kReciprocalProduct,  // amax · (1 / limit), as XLA rewrites the division
  kInverse,            // 1 / (limit · (1 / amax))
  kExponentEven,       // 2^(floor(log2(amax rounded up from 1.75)) - offset)
  kExponentCeil,       // 2^ceil(log2(amax / limit))
  kExponentFloor,      // 2^floor(log2(amax / limit))
  kTwoLevel,           // a scale of the tile in e4m3 over a scale of the tensor; amax · (1 / limit)
  kTwoLevelDivide,     // the same, amax / limit
};
enum class ScaleType : std::uint8_t { kFloat32, kInput, kE8m0, kE4m3 };
// What stands in for a scale of zero.
enum class ZeroRule : std::uint8_t { kNone, kDivideByOne, kOne, kEpsilon };
enum class CodeRule : std::uint8_t {
  kDivide,              // x / scale
  kReciprocalProduct,   // x · (1 / scale)
  kInverse,             // x · (limit / amax)
  kInverseProduct,      // x · (limit · (1 / amax)), as torch divides a number by a tensor
  kReciprocalOfGlobal,  // x · (1 / (scale · (1 / global)))
};
enum class Rounding : std::uint8_t { kEven, kTruncate, kAway, kTowardZero };

// How a checkpoint in the compressed-tensors format stores what a recipe makes.
struct StoredForm {
  std::string_view format;      // "float-quantized"; empty: the format has no place for it
  std::string_view weights;     // JSON of the arguments of the weights
  std::string_view activation;  // JSON of the arguments of the input activations, or empty
};

struct Recipe {
  std::string_view who;     // an engine's id, or the library that makes checkpoints
  std::string_view scheme;  // its own word
  std::string_view since;   // the first release it is true of
  std::string_view until;   // the first it is no longer true of, or empty
  bool assumed;             // no release was seen to do it
  RecipeUse use;
  Element element;
  std::uint32_t rows;     // of a tile; 0: all of them
  std::uint32_t columns;  // of a tile; 0: all of them
  bool whole_tiles;       // a size that the columns of a tile do not divide is refused
  Arithmetic arithmetic;
  bool flush;  // numbers below the least normal one are zero
  RangeRule range;
  ScaleRule scale;
  ScaleType scale_type;
  double limit;
  std::int32_t offset;  // of the exponent
  double amax_floor;
  double scale_floor;
  ZeroRule zero;
  CodeRule code;
  Rounding rounding;
  double low;
  double high;
  std::string_view title;
  std::string_view formula;
  StoredForm stored;
  Rows<std::string_view> evidence;
};

struct RecipeMaker {
  std::string_view id;
  std::string_view name;
  std::string_view read;  // the newest release whose source was read for this
};

struct RecipeTables {
  Rows<RecipeMaker> makers;
  Rows<Recipe> rows;
};

}  // namespace quantmap
