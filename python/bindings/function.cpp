#include "function.hpp"

#include <algorithm>
#include <exception>
#include <new>
#include <stdexcept>
#include <vector>

namespace quantmap::bindings {

namespace {

constexpr std::size_t kMostParameters = 16;

[[noreturn]] void raise_type(const char* wanted, PyObject* given) {
  throw py::type_error(std::string("expected ") + wanted + ", not " + Py_TYPE(given)->tp_name);
}

// A function with the names of its parameters as Python's objects; it lives as long as the process.
struct Bound {
  PyMethodDef definition{};
  Body call = nullptr;
  const char* name = "";
  std::string documentation;
  std::vector<PyObject*> names;  // interned
  std::size_t required = 0;

  Bound(const Function& row, bool is_method) : call(row.call), name(row.name) {
    std::string_view rest = row.parameters;
    documentation = std::string(row.name) + "(" + (is_method ? "self" : "");
    if (is_method && !rest.empty()) documentation += ", ";
    documentation += std::string(rest) + ")\n--\n\n" + row.documentation;
    if (is_method) add("self");
    while (!rest.empty()) {
      const std::string_view parameter = rest.substr(0, rest.find(", "));
      rest.remove_prefix(std::min(rest.size(), parameter.size() + 2));
      add(parameter);
    }
    if (names.size() != row.count || row.count > kMostParameters) throw std::logic_error(documentation);
  }

  // The place of a parameter; the number of parameters when no one has the name.
  [[nodiscard]] std::size_t place_of(PyObject* keyword) const {
    const auto same = [keyword](PyObject* known) { return known == keyword || PyUnicode_Compare(known, keyword) == 0; };
    return static_cast<std::size_t>(std::find_if(names.begin(), names.end(), same) - names.begin());
  }

 private:
  void add(std::string_view parameter) {
    const std::string word(parameter.substr(0, parameter.find('=')));
    names.push_back(take(PyUnicode_InternFromString(word.c_str())).release().ptr());
    if (word.size() == parameter.size()) required = names.size();
  }
};

void read_arguments(const Bound& bound, PyObject* const* given, Py_ssize_t positional, PyObject* keywords,
                    PyObject** places) {
  const auto count = static_cast<std::size_t>(positional);
  if (count > bound.names.size()) {
    throw py::type_error(std::string(bound.name) + "() takes at most " + std::to_string(bound.names.size()) +
                         " arguments (" + std::to_string(count) + " given)");
  }
  std::copy_n(given, count, places);
  const Py_ssize_t named = keywords == nullptr ? 0 : PyTuple_GET_SIZE(keywords);
  for (Py_ssize_t i = 0; i < named; ++i) {
    PyObject* keyword = PyTuple_GET_ITEM(keywords, i);
    const std::size_t place = bound.place_of(keyword);
    if (place == bound.names.size() || places[place] != nullptr) {
      PyErr_Format(PyExc_TypeError, "%s() got %s argument %R", bound.name,
                   place == bound.names.size() ? "an unexpected keyword" : "multiple values for", keyword);
      throw_python_error();
    }
    places[place] = given[positional + i];
  }
  for (std::size_t i = 0; i < bound.required; ++i) {
    if (places[i] != nullptr) continue;
    PyErr_Format(PyExc_TypeError, "%s() missing required argument %R", bound.name, bound.names[i]);
    throw_python_error();
  }
}

PyObject* call_bound(PyObject* capsule, PyObject* const* given, Py_ssize_t positional, PyObject* keywords) noexcept {
  try {
    const Bound& bound = *static_cast<const Bound*>(PyCapsule_GetPointer(capsule, nullptr));
    std::array<PyObject*, kMostParameters> places{};
    read_arguments(bound, given, positional, keywords, places.data());
    return bound.call(places.data()).release().ptr();
  } catch (py::error_already_set& error) {
    error.restore();
  } catch (const py::builtin_exception& error) {
    error.set_error();
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  }
  return nullptr;
}

py::object bind(const Function& row, bool is_method, py::handle module) {
  auto* bound = new Bound(row, is_method);
  bound->definition = {bound->name, reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(call_bound)),
                       METH_FASTCALL | METH_KEYWORDS, bound->documentation.c_str()};
  const py::object capsule = take(PyCapsule_New(bound, nullptr, nullptr));
  return take(PyCFunction_NewEx(&bound->definition, capsule.ptr(), module.ptr()));
}

PyObject* refuse_new(PyTypeObject* type, PyObject*, PyObject*) {
  PyErr_Format(PyExc_TypeError, "cannot create '%s' instances", type->tp_name);
  return nullptr;
}

}  // namespace

py::dict Parameter<py::dict>::read(PyObject* given) {
  if (given == nullptr) return {};
  if (!PyDict_Check(given)) raise_type("a dict", given);
  return py::reinterpret_borrow<py::dict>(given);
}

std::string_view Parameter<std::string_view>::read(PyObject* given) {
  if (!PyBytes_Check(given)) raise_type("bytes", given);
  return {PyBytes_AS_STRING(given), static_cast<std::size_t>(PyBytes_GET_SIZE(given))};
}

bool Parameter<bool>::read(PyObject* given) {
  const int value = PyObject_IsTrue(given);
  if (value < 0) throw_python_error();
  return value == 1;
}

double Parameter<double>::read(PyObject* given) {
  const double value = PyFloat_AsDouble(given);
  if (value == -1 && PyErr_Occurred() != nullptr) throw_python_error();
  return value;
}

unsigned long long to_number(PyObject* given, unsigned long long most) {
  const py::object index = take(PyNumber_Index(given));
  const unsigned long long value = PyLong_AsUnsignedLongLong(index.ptr());
  if (PyErr_Occurred() == nullptr && value <= most) return value;
  PyErr_Clear();
  throw py::type_error("expected a whole number from 0 to " + std::to_string(most));
}

PyObject* checked(PyObject* given, PyTypeObject* wanted) {
  if (Py_TYPE(given) != wanted) raise_type(wanted->tp_name, given);
  return given;
}

void add_functions(py::handle module, std::span<const Function> functions) {
  const py::object name = module.attr("__name__");
  for (const Function& row : functions) module.attr(row.name) = bind(row, false, name);
}

PyTypeObject* make_type(const Class& given, py::handle module) {
  const auto* name = new std::string(utf8(module.attr("__name__")) + "." + given.name);  // types keep the pointer
  PyType_Slot slots[] = {{Py_tp_dealloc, reinterpret_cast<void*>(given.destroy)},
                         {Py_tp_new, reinterpret_cast<void*>(refuse_new)},
                         {Py_tp_doc, const_cast<char*>(given.documentation)},
                         {0, nullptr}};
  PyType_Spec spec{name->c_str(), static_cast<int>(given.size), 0, Py_TPFLAGS_DEFAULT, slots};
  const py::object type = take(PyType_FromSpec(&spec));
  const py::handle property(reinterpret_cast<PyObject*>(&PyProperty_Type));
  for (const Function& row : given.methods) {
    type.attr(row.name) = take(PyInstanceMethod_New(bind(row, true, {}).ptr()));
  }
  for (const Function& row : given.properties) type.attr(row.name) = call(property, bind(row, true, {}));
  return reinterpret_cast<PyTypeObject*>(py::object(type).release().ptr());
}

}  // namespace quantmap::bindings
