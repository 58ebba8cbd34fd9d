// What a result's field is read from, and what its annotation does to the value.
//
// The annotated Python class is the description of a result. The generated `classes.hpp` puts every field of it by
// name; the value is the member of that name, or what `Read` of the type says.
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "quantmap/base/value.hpp"

namespace quantmap::results {

// For each type that is a result: `Class`, its description, and a function for each field that is no member.
template <class Type>
struct Read {};

template <class Type>
concept Described = requires { typename Read<Type>::Class; };

// A number of an integer field: the core counts some bytes in fractions.
template <class Type>
[[nodiscard]] const Type& whole(const Type& value) {
  return value;
}
[[nodiscard]] inline std::int64_t whole(double value) { return static_cast<std::int64_t>(std::nearbyint(value)); }
[[nodiscard]] inline std::pair<std::int64_t, std::int64_t> whole(const std::pair<double, double>& value) {
  return {whole(value.first), whole(value.second)};
}

// A field that may be None is so when it is empty or 0.
template <class Type>
[[nodiscard]] auto or_none(const Type& value) {
  static_assert(!std::is_same_v<Type, bool>, "a bool says nothing of being absent: std::optional<bool> does");
  if constexpr (std::is_convertible_v<const Type&, std::string_view>) {
    const std::string_view text = value;
    return text.empty() ? std::nullopt : std::optional(text);
  } else if constexpr (std::is_arithmetic_v<Type>) {
    return value == 0 ? std::nullopt : std::optional(value);
  } else if constexpr (std::is_pointer_v<Type>) {
    return value;
  } else {
    return &value;  // it says itself whether it is there
  }
}

// A long text that many results hold.
struct SharedText {
  const std::string& text;
};

// Pairs of a key and a value, of a field that is a dict.
template <class Items>
struct ByName {
  const Items& items;
};
template <class Items>
[[nodiscard]] ByName<Items> by_name(const Items& items) {
  return {items};
}
[[nodiscard]] inline const Value& by_name(const Value& value) { return value; }

}  // namespace quantmap::results
