#include "quantize/scale.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "quantmap/quantize/number.hpp"

namespace quantmap {

namespace {

constexpr float kLeastNormal = std::numeric_limits<float>::min();
constexpr float kGlobalTop = 2688;  // 448 · 6: the largest scale in e4m3 times the largest e2m1

float rounded(float value, Stored type) {
  switch (type) {
    case Stored::kBfloat16: return from_bfloat16(to_bfloat16(value));
    case Stored::kHalf: return from_float16(to_float16(value));
    case Stored::kFloat: break;
  }
  return value;
}

// One step of the computation, in the precision that the recipe names.
class Steps {
 public:
  Steps(const Recipe& recipe, Stored type)
      : type_(recipe.arithmetic == Arithmetic::kInput ? type : Stored::kFloat), flush_(recipe.flush) {}
  [[nodiscard]] float operator()(float value) const {
    if (flush_ && std::fabs(value) < kLeastNormal) return 0;
    return rounded(value, type_);
  }
  // XLA computes quotients by a broadcast number as products with its reciprocal, which float16 rounds and bfloat16,
  // computed in float32, does not.
  [[nodiscard]] float reciprocal(float value) const {
    const float out = 1.0F / value;
    return type_ == Stored::kBfloat16 ? out : (*this)(out);
  }
  [[nodiscard]] Stored type() const { return type_; }

 private:
  Stored type_;
  bool flush_;
};

bool two_level(const Recipe& recipe) {
  return recipe.scale == ScaleRule::kTwoLevel || recipe.scale == ScaleRule::kTwoLevelDivide;
}

float epsilon(const Recipe& recipe, Stored type) {
  switch (recipe.scale_type) {
    case ScaleType::kE8m0: return 1;
    case ScaleType::kE4m3: return 0.125F;
    case ScaleType::kFloat32:
    case ScaleType::kInput: break;
  }
  if (recipe.arithmetic == Arithmetic::kFloat32 || type == Stored::kFloat) return std::numeric_limits<float>::epsilon();
  return type == Stored::kBfloat16 ? 0.0078125F : 0.0009765625F;
}

// The exponent of the power of two that a mantissa of 1.75 and more is rounded up to, less the offset; zero has the
// least.
float even_exponent(float absmax, std::int32_t offset) {
  constexpr std::uint32_t kQuarter = 0x200000;
  const std::uint32_t biased = (std::bit_cast<std::uint32_t>(absmax) + kQuarter) >> 23U;
  return static_cast<float>(std::max(static_cast<std::int32_t>(biased) - 127 - offset, -127));
}

// log2 as a float has it: the nearest one to the true value.
float whole_exponent(float value, const Steps& step, bool up) {
  if (value <= 0) return -127;
  const float exact = rounded(static_cast<float>(std::log2(static_cast<double>(value))), step.type());
  return std::clamp(up ? std::ceil(exact) : std::floor(exact), -127.0F, 127.0F);
}

// From 2^-127 on.
float power_of_two(float exponent) {
  const auto biased = static_cast<std::uint32_t>(static_cast<std::int32_t>(exponent) + 127);
  return std::bit_cast<float>(biased == 0 ? 0x400000U : biased << 23U);
}

// A scale in e4m3: its bits, and the number they stand for.
struct SmallScale {
  std::int32_t bits = 0;
  float value = 0;
};

// to_e4m3 of numbers that are not negative, saturating, without its care for everything else and without branches:
// there is one for each tile of a few numbers. How it rounds: kernel_rows.hpp, round_even.
SmallScale scale_to_e4m3(float value) {
  constexpr float kLargest = 448;
  constexpr std::int32_t kUp = 20 << 23;
  constexpr std::int32_t kLeast = (127 + 14) << 23;  // its last bit is the subnormals' step
  const float kept = value < kLargest ? value : kLargest;
  const std::int32_t wanted = (std::bit_cast<std::int32_t>(kept) & 0x7f800000) + kUp;
  const std::int32_t shifter = wanted > kLeast ? wanted : kLeast;
  const float sum = kept + std::bit_cast<float>(shifter);
  const std::int32_t steps = std::bit_cast<std::int32_t>(sum) - shifter;
  return {((shifter - kLeast) >> 20) + steps, sum - std::bit_cast<float>(shifter)};
}

float base_scale(const Recipe& recipe, const Steps& step, float absmax, float global) {
  const auto limit = static_cast<float>(recipe.limit);
  switch (recipe.scale) {
    case ScaleRule::kFixed: return 1;
    case ScaleRule::kDivide: return std::max(step(absmax / limit), static_cast<float>(recipe.scale_floor));
    case ScaleRule::kReciprocalProduct: return step(absmax * step.reciprocal(limit));
    case ScaleRule::kInverse: return step(1.0F / step(limit * step(1.0F / absmax)));
    case ScaleRule::kExponentEven: return power_of_two(even_exponent(absmax, recipe.offset));
    case ScaleRule::kExponentCeil:
    case ScaleRule::kExponentFloor: {
      const float ratio = std::max(step(absmax / limit), static_cast<float>(recipe.scale_floor));
      return power_of_two(whole_exponent(ratio, step, recipe.scale == ScaleRule::kExponentCeil));
    }
    case ScaleRule::kTwoLevel: return scale_to_e4m3(global * (absmax * (1.0F / limit))).value;
    case ScaleRule::kTwoLevelDivide: return scale_to_e4m3(global * step(absmax / limit)).value;
  }
  return 1;
}

// What the encoding multiplies with (or divides by) for a scale that is not zero.
float factor_of(const Recipe& recipe, const Steps& step, float divisor, float absmax, float global) {
  switch (recipe.code) {
    case CodeRule::kDivide: return recipe.scale_type == ScaleType::kE8m0 ? 1.0F / divisor : divisor;
    case CodeRule::kReciprocalProduct: return step.reciprocal(divisor);
    case CodeRule::kInverse: return step(static_cast<float>(recipe.limit) / absmax);
    case CodeRule::kInverseProduct: return step(static_cast<float>(recipe.limit) * step(1.0F / absmax));
    case CodeRule::kReciprocalOfGlobal: return 1.0F / (divisor * (1.0F / global));
  }
  return divisor;
}

float instead_of_zero(const Recipe& recipe, Stored type, float scale) {
  if (recipe.zero == ZeroRule::kEpsilon) return epsilon(recipe, type);
  return recipe.zero == ZeroRule::kOne ? 1 : scale;
}

// What a code is multiplied with to be the value again.
float back_of(const Recipe& recipe, float scale, float global) {
  if (recipe.scale == ScaleRule::kTwoLevel) return scale * (1.0F / global);
  return recipe.scale == ScaleRule::kTwoLevelDivide ? scale / global : scale;
}

float zero_point(const Recipe& recipe, const Steps& step, const TileRange& range, float scale) {
  if (scale == 0) return 0;
  const auto low = static_cast<float>(recipe.low);
  const float place = step(low - step(range.least / scale));
  return std::nearbyint(std::clamp(place, low, static_cast<float>(recipe.high)));
}

}  // namespace

float global_scale(const Recipe& recipe, Stored type, float absmax) {
  if (!two_level(recipe)) return 1;
  const Steps step(recipe, type);
  if (recipe.scale == ScaleRule::kTwoLevel) return kGlobalTop * (1.0F / std::max(absmax, 1e-8F));
  const float tiny = step.type() == Stored::kHalf ? 6.103515625e-05F : kLeastNormal;
  const float out = step(kGlobalTop * step(1.0F / std::max(absmax, tiny)));
  return std::isfinite(out) ? out : 1;
}

TileScale tile_scale(const Recipe& recipe, Stored type, const TileRange& range, float global) {
  const Steps step(recipe, type);
  const float absmax = std::max(step(range.absmax), static_cast<float>(recipe.amax_floor));
  TileScale out;
  const bool asymmetric = recipe.range == RangeRule::kMinmax;
  const float spread = asymmetric ? step(range.most - range.least) : absmax;
  float scale = base_scale(recipe, step, spread, global);
  if (asymmetric) out.zero = zero_point(recipe, step, range, scale);
  const bool power = recipe.scale_type == ScaleType::kE8m0;
  if ((power ? rounded(scale, step.type()) : scale) == 0) scale = instead_of_zero(recipe, type, scale);
  out.stored = scale;
  if (power) out.bits = static_cast<std::uint8_t>(std::bit_cast<std::uint32_t>(scale) >> 23U);
  if (recipe.scale_type == ScaleType::kE4m3) out.bits = static_cast<std::uint8_t>(scale_to_e4m3(scale).bits);
  if (scale == 0) {
    // What the release divides by zero here has no value of its own; code 0 is what it stands for.
    const bool one = recipe.zero == ZeroRule::kDivideByOne;
    out.factor = one || recipe.code == CodeRule::kDivide ? 1.0F : 0.0F;
    return out;
  }
  out.back = back_of(recipe, scale, global);
  const float divisor = recipe.scale == ScaleRule::kTwoLevelDivide ? out.back : scale;
  out.factor = factor_of(recipe, step, divisor, absmax, global);
  return out;
}

std::optional<ScaleSteps> short_way(const Recipe& recipe, Stored type, float global) {
  ScaleSteps out;
  const bool half = recipe.arithmetic == Arithmetic::kInput && type == Stored::kHalf;
  if (recipe.scale == ScaleRule::kExponentEven && !half) {
    out.powers = true;
    out.offset = recipe.offset;
    return out;
  }
  if (recipe.scale != ScaleRule::kTwoLevel || recipe.code != CodeRule::kReciprocalOfGlobal) return std::nullopt;
  out.share = 1.0F / static_cast<float>(recipe.limit);
  out.global = global;
  return out;
}

Encoding encoding_of(const Recipe& recipe, Stored type) {
  Encoding out;
  out.element = recipe.element;
  out.rounding = recipe.rounding;
  const bool power = recipe.scale_type == ScaleType::kE8m0;
  out.divide = recipe.code == CodeRule::kDivide && !power && recipe.scale != ScaleRule::kFixed;
  const bool in_input = recipe.arithmetic == Arithmetic::kInput && !power && !two_level(recipe);
  out.round_to = in_input ? type : Stored::kFloat;
  out.low = static_cast<float>(recipe.low);
  out.high = static_cast<float>(recipe.high);
  return out;
}

bool near_subnormal(float absmax) { return absmax < 1e-30F; }

}  // namespace quantmap
