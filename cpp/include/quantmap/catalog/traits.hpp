// A set of traits of models.
#pragma once

#include <cstddef>
#include <cstdint>

namespace quantmap {

using TraitMask = std::uint64_t;  // bit i: Catalog::traits[i]
inline constexpr std::size_t kMostTraits = 63;

[[nodiscard]] constexpr TraitMask trait_bit(std::size_t trait) noexcept { return TraitMask{1} << trait; }

}  // namespace quantmap
