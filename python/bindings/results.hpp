// Results of the core as instances of their Python classes.
#pragma once

#include "objects.hpp"

#include <array>

#include "convert.hpp"
#include "quantmap/results/made.hpp"

namespace quantmap::bindings {

// A class called with the values of its fields; those that it keeps beside them are set as they are.
struct KeptField {
  const char* name;
  py::object value;
};
[[nodiscard]] py::object make_result(py::handle kind, std::span<const py::object> values,
                                     const std::vector<KeptField>& kept);

// While one lives, a text that many results hold becomes one object.
class SharedTexts {
 public:
  SharedTexts();
  ~SharedTexts();
  SharedTexts(const SharedTexts&) = delete;
  SharedTexts& operator=(const SharedTexts&) = delete;
  [[nodiscard]] static py::str of(const std::string& text);
};

struct PythonMaker {
  using Made = py::object;

  static Made none() { return bindings::none(); }
  static Made boolean(bool value) { return py::bool_(value); }
  template <class Number>
  static Made integer(Number value) {
    return py::int_(value);
  }
  static Made real(double value) { return py::float_(value); }
  static Made text(std::string_view value) { return bindings::text(value); }
  static Made shared(const std::string& value) { return SharedTexts::of(value); }
  static Made value(const Value& value) { return to_python(value); }
  static Made pair(const Made& first, const Made& second) { return make_tuple(first, second); }

  struct List {
    py::list out;
    void append(const Made& item) { out.append(item); }
    [[nodiscard]] Made done() const { return out; }
  };

  struct Object {
    py::dict out;
    void put(std::string_view key, const Made& item) { out[bindings::text(key)] = item; }
    [[nodiscard]] Made done() const { return out; }
  };

  template <class Class>
  struct Result {
    std::array<py::object, Class::kFields> values;
    std::size_t count = 0;
    std::vector<KeptField> kept;

    template <class Type>
    void put(const char*, const Type& value) {
      values[count++] = results::made<PythonMaker>(value);
    }
    template <class Type>
    void keep(const char* name, const Type& value) {
      kept.push_back({name, results::made<PythonMaker>(value)});
    }
    [[nodiscard]] Made done() const { return make_result(kind(), {values.data(), count}, kept); }
    static py::handle kind() {
      static constinit Once kept;
      return kept.get([] { return py::object(import(Class::kModule).attr(Class::kName)); });
    }
  };
};

template <class Type>
[[nodiscard]] py::object to_result(const Type& value) {
  return results::made<PythonMaker>(value);
}

}  // namespace quantmap::bindings
