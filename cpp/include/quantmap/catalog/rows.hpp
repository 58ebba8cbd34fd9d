// Rows of a table in the program's own memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace quantmap {

// A std::span of constants, but for what the tables cost to compile: of a span each of ten thousand initializers
// chooses among constructors of ranges, which takes two thirds of the time of compiling them all.
template <class T>
class Rows {
 public:
  using value_type = T;

  constexpr Rows() noexcept = default;
  template <std::size_t kCount>
  constexpr Rows(const T (&rows)[kCount]) noexcept
      : rows_(rows), count_(kCount) {}  // NOLINT(google-explicit-constructor)
  constexpr Rows(const T* rows, std::size_t count) noexcept : rows_(rows), count_(count) {}
  constexpr operator std::span<const T>() const noexcept {
    return {rows_, count_};
  }  // NOLINT(google-explicit-constructor)

  [[nodiscard]] constexpr const T* begin() const noexcept { return rows_; }
  [[nodiscard]] constexpr const T* end() const noexcept { return rows_ + count_; }
  [[nodiscard]] constexpr const T* data() const noexcept { return rows_; }
  [[nodiscard]] constexpr std::size_t size() const noexcept { return count_; }
  [[nodiscard]] constexpr bool empty() const noexcept { return count_ == 0; }
  [[nodiscard]] constexpr const T& operator[](std::size_t index) const noexcept { return rows_[index]; }
  // At most so many from there on; none where there are none.
  [[nodiscard]] constexpr std::span<const T> part(std::size_t from, std::size_t most = SIZE_MAX) const noexcept {
    const std::size_t left = count_ - (from < count_ ? from : count_);
    return {rows_ + (count_ - left), most < left ? most : left};
  }
  template <class Wanted>
  [[nodiscard]] constexpr bool contains(const Wanted& wanted) const noexcept {
    for (const T& row : *this) {
      if (row == wanted) return true;
    }
    return false;
  }
  [[nodiscard]] constexpr const T& front() const noexcept { return rows_[0]; }
  [[nodiscard]] constexpr const T& back() const noexcept { return rows_[count_ - 1]; }

 private:
  const T* rows_ = nullptr;
  std::size_t count_ = 0;
};

}  // namespace quantmap
