// Patterns of rules files.
#include <memory>

#include "convert.hpp"
#include "quantmap/base/text.hpp"
#include "quantmap/catalog/codes.hpp"
#include "quantmap/pattern/pattern.hpp"
#include "register.hpp"
#include "report.hpp"

namespace quantmap::bindings {

namespace {

// The text of a Python object, or a ConfigError that says what it is instead.
std::string text_of(const py::object& object, const std::string& path) {
  const Value value = to_core(object);
  if (value.is_text()) return value.as_text();
  Diagnostics problems;
  if (value.kind() == Value::Kind::kBroken) {
    problems.add(value.problem(), path, {{"got", value.as_text()}});
  } else {
    problems.add(Code::kWrongType, path, {{"expected", "a string"}, {"got", value.describe()}, {"hint", "quote it"}});
  }
  raise_config_error(problems);
}

Pattern read_pattern(const py::object& object, const std::string& path) {
  const std::string text = text_of(object, path);
  PatternError error;
  std::optional<Pattern> pattern = Pattern::compile(text, error);
  if (pattern) return std::move(*pattern);
  Diagnostics problems;
  problems.add(Code::kBadPattern, path,
               {{"value", quote(text)}, {"reason", error.what}, {"column", std::to_string(error.position)}});
  raise_config_error(problems);
}

bool matches(const Pattern& pattern, const py::object& object) {
  const std::string text = text_of(object, "module_path");
  if (Pattern::is_text(text)) {
    const py::gil_scoped_release release;
    return pattern.matches(text);
  }
  Diagnostics problems;
  problems.add(Code::kBadModulePath, "module_path", {{"value", quote(text)}});
  raise_config_error(problems);
}

py::object dead_part(const Pattern& pattern) {
  const auto position = pattern.dead_part();
  return position ? py::object(py::int_(*position)) : py::object(py::none());
}

}  // namespace

void register_rules(py::module_& module) {
  const py::handle type(reinterpret_cast<PyObject*>(&PyType_Type));  // a plain type, as the stub says
  py::class_<Pattern>(module, "Pattern", py::is_final(), py::metaclass(type),
                      "A regular expression of a rules file, compiled.")
      .def("matches", &matches, py::arg("text"), "Whether re.match would accept the text.")
      .def("always", &Pattern::always, "Whether it is plain that every text matches.")
      .def("can_match_path", &Pattern::can_match_path, "False only if no module path can match.")
      .def("dead_part", &dead_part, "Where a part begins that fits no character of a module path, or None.")
      .def("size", &Pattern::size, "How many states it has.");
  module.def("read_pattern", &read_pattern, py::arg("text"), py::arg("path"), "A pattern, compiled.");
}

}  // namespace quantmap::bindings
