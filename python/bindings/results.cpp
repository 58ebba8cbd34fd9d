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

py::object make_result(py::handle kind, std::span<const py::object> values, const std::vector<KeptField>& kept) {
  py::object out = call(kind, values);
  for (const KeptField& field : kept) {  // what a caller could not change
    if (PyObject_GenericSetAttr(out.ptr(), py::str(field.name).ptr(), field.value.ptr()) != 0) {
      throw_python_error();
    }
  }
  return out;
}

}  // namespace quantmap::bindings
