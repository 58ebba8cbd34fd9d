#include "results.hpp"

#include <map>
#include <memory>

namespace quantmap::bindings {

namespace {

using Texts = std::map<const std::string*, py::str>;
thread_local std::unique_ptr<Texts> shared;

}  // namespace

SharedTexts::SharedTexts() { shared = std::make_unique<Texts>(); }
SharedTexts::~SharedTexts() { shared.reset(); }

py::str SharedTexts::of(const std::string& given) {
  if (shared == nullptr) return text(given);
  const auto [found, is_new] = shared->try_emplace(&given);
  if (is_new) found->second = text(given);
  return found->second;
}

py::object make_result(const py::object& kind, const py::object* values, std::size_t count,
                       const std::vector<KeptField>& kept) {
  static_assert(sizeof(py::object) == sizeof(PyObject*), "an object is the pointer that it holds");
  auto* const* arguments = reinterpret_cast<PyObject* const*>(values);
  PyObject* made = PyObject_Vectorcall(kind.ptr(), arguments, count, nullptr);
  if (made == nullptr) throw py::error_already_set();
  auto out = py::reinterpret_steal<py::object>(made);
  for (const KeptField& field : kept) {  // what a caller could not change
    if (PyObject_GenericSetAttr(made, py::str(field.name).ptr(), field.value.ptr()) != 0) throw py::error_already_set();
  }
  return out;
}

}  // namespace quantmap::bindings
