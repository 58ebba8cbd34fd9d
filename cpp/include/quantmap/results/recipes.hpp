// What a recipe holds, where its fields are no members of the same name.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "quantmap/quantize/recipe.hpp"
#include "quantmap/results/made.hpp"

namespace quantmap::results {

struct NamedRecipe : Recipe {
  std::string name;  // WHO@RELEASE:SCHEME
};

template <>
struct Read<NamedRecipe> {
  using Class = classes::Recipe;
  using Of = const NamedRecipe&;
  static std::string_view use(Of it) {
    constexpr std::string_view kUses[] = {"weight", "activation", "cache"};
    return kUses[static_cast<std::size_t>(it.use)];
  }
  static std::string_view element(Of it) {
    constexpr std::string_view kElements[] = {"i8", "i4", "e4m3", "e5m2", "e2m1"};
    return kElements[static_cast<std::size_t>(it.element)];
  }
  static std::pair<std::uint32_t, std::uint32_t> tile(Of it) { return {it.rows, it.columns}; }
  static bool truncates(Of it) { return it.rounding == Rounding::kTruncate; }
  static int scale_bits(Of it) {
    if (it.scale_type == ScaleType::kE8m0 || it.scale_type == ScaleType::kE4m3) return 8;
    return it.scale_type == ScaleType::kInput ? 16 : 32;
  }
  static bool two_levels(Of it) { return it.scale == ScaleRule::kTwoLevel || it.scale == ScaleRule::kTwoLevelDivide; }
  static bool zero_points(Of it) { return it.range == RangeRule::kMinmax; }
  static std::string_view format(Of it) { return it.stored.format; }
  static std::string_view stored_weights(Of it) { return it.stored.weights; }
  static std::string_view stored_activation(Of it) { return it.stored.activation; }
};

}  // namespace quantmap::results
