#include "convert.hpp"

#include <cstddef>

#include "quantmap/base/text.hpp"
#include "quantmap/catalog/codes.hpp"

namespace quantmap::bindings {

namespace {

Value read_text(PyObject* object) {
  Py_ssize_t size = 0;
  const char* data = PyUnicode_AsUTF8AndSize(object, &size);
  if (data == nullptr) {
    PyErr_Clear();  // lone surrogates
    return Value::broken(Code::kInvalidUnicode);
  }
  return Value::text(std::string(data, static_cast<std::size_t>(size)));
}

Value read_integer(PyObject* object) {
  // int's own repr, whatever a subclass prints; it refuses more digits than sys.get_int_max_str_digits().
  const auto digits = py::reinterpret_steal<py::object>(PyLong_Type.tp_repr(object));
  if (!digits) {
    PyErr_Clear();
    return Value::broken(Code::kUnprintableInteger);
  }
  return Value::integer(utf8(digits));
}

class Reader {
 public:
  Value read(PyObject* object, std::size_t depth) {
    if (++nodes_ > kMaxNodes) return Value::broken(Code::kTooLarge, "the input");
    if (object == Py_None) return {};
    if (PyBool_Check(object)) return Value::boolean(object == Py_True);
    if (PyUnicode_Check(object)) return read_text(object);
    if (PyLong_Check(object)) return read_integer(object);
    if (PyFloat_Check(object)) return Value::real(PyFloat_AS_DOUBLE(object));
    const bool dictionary = PyDict_Check(object) || Py_TYPE(object) == &PyDictProxy_Type;
    const bool sequence = PyList_Check(object) || PyTuple_Check(object);
    if (!dictionary && !sequence) return Value::foreign(Py_TYPE(object)->tp_name);
    if (depth >= kMaxDepth) return Value::broken(Code::kTooDeep);
    return dictionary ? read_dictionary(object, depth) : read_sequence(object, depth);
  }

 private:
  Value read_sequence(PyObject* object, std::size_t depth) {
    Value out = Value::array();
    // A snapshot: the list may change under another thread.
    const auto items = py::reinterpret_steal<py::tuple>(
        PyList_Check(object) ? PyList_AsTuple(object) : PyTuple_GetSlice(object, 0, PyTuple_GET_SIZE(object)));
    if (!items) throw_python_error();
    for (const py::handle item : items) {
      if (nodes_ > kMaxNodes) break;
      out.append(read(item.ptr(), depth + 1));
    }
    return out;
  }

  Value read_dictionary(PyObject* object, std::size_t depth) {
    Value out = Value::object();
    // The order of an OrderedDict is not that of its storage.
    const bool stored = PyDict_Check(object) && !PyODict_CheckExact(object);
    const auto items = py::reinterpret_steal<py::list>(stored ? PyDict_Items(object) : PyMapping_Items(object));
    if (!items) {
      if (PyErr_ExceptionMatches(PyExc_Exception) == 0) throw_python_error();  // KeyboardInterrupt
      PyErr_Clear();
      return Value::foreign(Py_TYPE(object)->tp_name);
    }
    for (const py::handle item : items) {
      if (!PyTuple_Check(item.ptr()) || PyTuple_GET_SIZE(item.ptr()) != 2)
        return Value::foreign(Py_TYPE(object)->tp_name);
    }
    for (const py::handle item : items) {
      if (nodes_ > kMaxNodes) break;
      PyObject* key = PyTuple_GET_ITEM(item.ptr(), 0);
      PyObject* value = PyTuple_GET_ITEM(item.ptr(), 1);
      if (!PyUnicode_Check(key)) {
        out.set(std::string("(") + Py_TYPE(key)->tp_name + ")",
                Value::broken(Code::kNonStringKey, Py_TYPE(key)->tp_name));
        continue;
      }
      Value name = read_text(key);
      if (!name.is_text()) {
        out.set("(unreadable)", Value::broken(Code::kNonStringKey, "str with lone surrogates"));
        continue;
      }
      out.set(name.as_text(), read(value, depth + 1));
    }
    return out;
  }

  std::size_t nodes_ = 0;
};

}  // namespace

Value to_core(py::handle object) { return Reader().read(object.ptr(), 0); }

py::str text(std::string_view value) { return py::str(value.data(), value.size()); }

Value gpu_to_core(py::handle gpu) {
  Value given = to_core(gpu);
  if (!given.is_text() || lower(trim(given.as_text())) != "local") return given;
  return to_core(call(import("quantmap.hardware").attr("local_gpu")));
}

py::object to_python(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kBoolean: return py::bool_(value.as_boolean());
    case Value::Kind::kInteger: {
      PyObject* number = PyLong_FromString(value.as_text().c_str(), nullptr, 10);
      if (number == nullptr) throw_python_error();
      return py::reinterpret_steal<py::object>(number);
    }
    case Value::Kind::kReal: return py::float_(value.as_real());
    case Value::Kind::kText: return text(value.as_text());
    case Value::Kind::kArray: {
      py::list out;
      for (const Value& item : value.items()) out.append(to_python(item));
      return out;
    }
    case Value::Kind::kObject: {
      py::dict out;
      for (const auto& [key, item] : value.members()) out[text(key)] = to_python(item);
      return out;
    }
    default: return none();
  }
}

py::object to_python(const ArgumentValue& value) {
  if (const bool* flag = std::get_if<bool>(&value)) return py::bool_(*flag);
  if (const std::int64_t* number = std::get_if<std::int64_t>(&value)) return py::int_(*number);
  return text(std::get<std::string>(value));
}

py::object to_argument(const ArgumentValue& value) {
  if (const bool* flag = std::get_if<bool>(&value)) return py::bool_(*flag);
  return text(to_text(value));
}

}  // namespace quantmap::bindings
