// Numbers in memory, as a checkpoint has them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace quantmap {

enum class Stored : std::uint8_t { kBfloat16, kHalf, kFloat };
[[nodiscard]] constexpr std::size_t size_of(Stored type) noexcept { return type == Stored::kFloat ? 4 : 2; }

struct Matrix {
  const void* values = nullptr;  // row by row
  Stored type = Stored::kFloat;
  std::size_t rows = 0;
  std::size_t columns = 0;
};

}  // namespace quantmap
