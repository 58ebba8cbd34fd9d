// C++ functions as functions of the module: a row of a table each, with the names of its parameters as Python shows
// them.
#pragma once

#include <limits>
#include <memory>

#include "objects.hpp"

namespace quantmap::bindings {

// What a parameter is read from. A null pointer is one that was left out: only what `=` follows in the row may be.
template <class Type>
struct Parameter;  // a class of the module: below

template <>
struct Parameter<py::object> {
  static py::object read(PyObject* given) {
    return given == nullptr ? none() : py::reinterpret_borrow<py::object>(given);
  }
};
template <>
struct Parameter<py::dict> {
  static py::dict read(PyObject* given);
};
template <>
struct Parameter<std::string> {
  static std::string read(PyObject* given) { return given == nullptr ? std::string() : utf8(given); }
};
// Of Python's bytes: the caller holds them.
template <>
struct Parameter<std::string_view> {
  static std::string_view read(PyObject* given);
};
template <>
struct Parameter<bool> {
  static bool read(PyObject* given);
};
template <>
struct Parameter<double> {
  static double read(PyObject* given);
};
template <>
struct Parameter<float> {
  static float read(PyObject* given) { return static_cast<float>(Parameter<double>::read(given)); }
};
template <>
struct Parameter<py::buffer> {
  static py::buffer read(PyObject* given) {
    return py::reinterpret_borrow<py::buffer>(given);
  }  // it is asked where it is read
};
template <class Item>
struct Parameter<std::optional<Item>> {
  static std::optional<Item> read(PyObject* given) {
    return given == nullptr ? std::nullopt : std::optional<Item>(Parameter<Item>::read(given));
  }
};

[[nodiscard]] unsigned long long to_number(PyObject* given, unsigned long long most);
template <class Number>
  requires std::is_integral_v<Number>
struct Parameter<Number> {
  static Number read(PyObject* given) {
    return static_cast<Number>(to_number(given, static_cast<unsigned long long>(std::numeric_limits<Number>::max())));
  }
};

// A class of the module holds one C++ object. Only functions of the module make one.
template <class Type>
struct Holder {
  PyObject base;
  Type* held;
};
template <class Type>
inline PyTypeObject* type_of = nullptr;
[[nodiscard]] PyObject* checked(PyObject* given, PyTypeObject* wanted);

template <class Type>
[[nodiscard]] Type& held(py::handle given) {
  return *reinterpret_cast<Holder<Type>*>(checked(given.ptr(), type_of<Type>))->held;
}

template <class Type>
struct Parameter {
  static const Type& read(PyObject* given) { return held<Type>(given); }
};

template <class Type>
[[nodiscard]] py::object hold(Type made) {
  auto place = std::make_unique<Type>(std::move(made));
  py::object out = take(type_of<Type>->tp_alloc(type_of<Type>, 0));
  reinterpret_cast<Holder<Type>*>(out.ptr())->held = place.release();
  return out;
}

template <class Result>
[[nodiscard]] py::object result_of(Result&& result) {
  if constexpr (requires { to_object(std::forward<Result>(result)); }) {
    return to_object(std::forward<Result>(result));
  } else {
    return hold<std::remove_cvref_t<Result>>(std::forward<Result>(result));
  }
}

// `given` has a place for every parameter; null where none was given.
using Body = py::object (*)(PyObject* const* given);

template <auto kFunction, class Type>
struct Caller;
template <auto kFunction, class Result, class... Types>
struct Caller<kFunction, Result (*)(Types...)> {
  static constexpr std::size_t kCount = sizeof...(Types);
  static py::object call(PyObject* const* given) { return with(given, std::index_sequence_for<Types...>()); }
  template <std::size_t... kAt>
  static py::object with([[maybe_unused]] PyObject* const* given, std::index_sequence<kAt...>) {
    return result_of(kFunction(Parameter<std::remove_cvref_t<Types>>::read(given[kAt])...));
  }
};
template <auto kMember, class Result, class Type>
struct Caller<kMember, Result (Type::*)() const> {
  static constexpr std::size_t kCount = 1;
  static py::object call(PyObject* const* given) { return result_of((held<Type>(given[0]).*kMember)()); }
};
template <auto kMember, class Result, class Type>
struct Caller<kMember, Result (Type::*)() const noexcept> : Caller<kMember, Result (Type::*)() const> {};

struct Function {
  const char* name;
  const char* parameters;  // "name, version=''": without `self`
  const char* documentation;
  Body call;
  std::size_t count;
};
template <auto kFunction>
[[nodiscard]] constexpr Function function(const char* name, const char* parameters, const char* documentation) {
  using Called = Caller<kFunction, decltype(kFunction)>;
  return {name, parameters, documentation, Called::call, Called::kCount};
}

void add_functions(py::handle module, std::span<const Function> functions);

struct Class {
  const char* name;
  const char* documentation;
  std::size_t size;
  destructor destroy;
  std::span<const Function> methods;
  std::span<const Function> properties;
};
[[nodiscard]] PyTypeObject* make_type(const Class& given, py::handle module);

template <class Type>
void destroy(PyObject* object) {
  PyTypeObject* type = Py_TYPE(object);
  delete reinterpret_cast<Holder<Type>*>(object)->held;
  type->tp_free(object);
  Py_DECREF(type);
}

template <class Type>
void add_class(py::handle module, const char* name, const char* documentation, std::span<const Function> methods,
               std::span<const Function> properties = {}) {
  if (type_of<Type> == nullptr) {
    type_of<Type> = make_type({name, documentation, sizeof(Holder<Type>), destroy<Type>, methods, properties}, module);
  }
  module.attr(name) = py::handle(reinterpret_cast<PyObject*>(type_of<Type>));
}

}  // namespace quantmap::bindings
