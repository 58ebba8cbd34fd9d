// A value of a result in the form that a maker gives it: Python objects in the bindings, JSON on the page.
#pragma once

#include <memory>

#include "quantmap/base/diagnostic.hpp"
#include "quantmap/release/argument.hpp"
#include "quantmap/results/classes.hpp"

namespace quantmap::results {

template <class Type>
inline constexpr bool is_optional = std::is_pointer_v<Type>;
template <class Type>
inline constexpr bool is_optional<std::optional<Type>> = true;
template <class Type>
inline constexpr bool is_optional<std::shared_ptr<Type>> = true;
template <class Type>
inline constexpr bool is_pair = false;
template <class First, class Second>
inline constexpr bool is_pair<std::pair<First, Second>> = true;
template <class Type>
inline constexpr bool is_by_name = false;
template <class Items>
inline constexpr bool is_by_name<ByName<Items>> = true;

template <class Maker, class Type>
[[nodiscard]] typename Maker::Made made(const Type& value);

template <class Maker, class Type>
[[nodiscard]] typename Maker::Made made_result(const Type& value) {
  using Class = typename Read<Type>::Class;
  typename Maker::template Result<Class> out;
  Class::describe(value, out);
  return out.done();
}

template <class Maker, class Items>
[[nodiscard]] typename Maker::Made made_list(const Items& items) {
  typename Maker::List out;
  for (const auto& item : items) out.append(made<Maker>(item));
  return out.done();
}

template <class Maker, class Items>
[[nodiscard]] typename Maker::Made made_object(const Items& items) {
  typename Maker::Object out;
  for (const auto& [key, item] : items) out.put(key, made<Maker>(item));
  return out.done();
}

// As a value of get_runtime_args: a switch, or text.
template <class Maker>
[[nodiscard]] typename Maker::Made made_argument(const ArgumentValue& value) {
  const bool* flag = std::get_if<bool>(&value);
  return flag != nullptr ? Maker::boolean(*flag) : Maker::text(to_text(value));
}

template <class Maker, class Type>
[[nodiscard]] typename Maker::Made made_scalar(Type value) {
  if constexpr (std::is_same_v<Type, bool>) {
    return Maker::boolean(value);
  } else if constexpr (std::is_enum_v<Type>) {
    return Maker::text(name_of(value));
  } else if constexpr (std::is_integral_v<Type>) {
    return Maker::integer(value);
  } else {
    return Maker::real(value);
  }
}

template <class Maker, class Type>
typename Maker::Made made(const Type& value) {
  if constexpr (std::is_arithmetic_v<Type> || std::is_enum_v<Type>) {
    return made_scalar<Maker>(value);
  } else if constexpr (std::is_convertible_v<const Type&, std::string_view>) {
    return Maker::text(value);
  } else if constexpr (std::is_same_v<Type, SharedText>) {
    return Maker::shared(value.text);
  } else if constexpr (std::is_same_v<Type, Value>) {
    return Maker::value(value);
  } else if constexpr (std::is_same_v<Type, ArgumentValue>) {
    return made_argument<Maker>(value);
  } else if constexpr (std::is_same_v<Type, Diagnostics>) {
    return made_list<Maker>(value.all());
  } else if constexpr (std::is_same_v<Type, const Engine*>) {
    return Maker::text(value->id);
  } else if constexpr (is_optional<Type>) {
    return value ? made<Maker>(*value) : Maker::none();
  } else if constexpr (is_pair<Type>) {
    return Maker::pair(made<Maker>(value.first), made<Maker>(value.second));
  } else if constexpr (is_by_name<Type>) {
    return made_object<Maker>(value.items);
  } else if constexpr (Described<Type>) {
    return made_result<Maker>(value);
  } else {
    return made_list<Maker>(value);
  }
}

}  // namespace quantmap::results
