// Configs: resolve, validate, presets, JSON text.
#include "convert.hpp"
#include "function.hpp"
#include "quantmap/base/json_io.hpp"
#include "quantmap/base/text.hpp"
#include "quantmap/catalog/codes.hpp"
#include "quantmap/config/method.hpp"
#include "quantmap/config/resolve.hpp"
#include "quantmap/mapping/merge.hpp"
#include "register.hpp"
#include "report.hpp"

namespace quantmap::bindings {

namespace {

py::object resolve_config(const py::object& config) {
  Diagnostics problems;
  const std::optional<Config> resolved = resolve(to_core(config), Path("$"), problems);
  if (!resolved) raise_config_error(problems);
  return to_python(to_value(*resolved));
}

py::list check_config(const py::object& config) {
  Diagnostics problems;
  const std::optional<Config> resolved = resolve(to_core(config), Path("$"), problems);
  if (resolved) (void)drop_unfit(*resolved, problems);
  return to_python(problems);
}

py::object expand_preset(const py::object& name) {
  Value input = Value::object();
  Value given = to_core(name);
  // A null preset is an absent one in a config; here it is an argument that is missing.
  if (given.is_null()) given = Value::foreign("NoneType");
  input.set(std::string(catalog().keys.preset), std::move(given));
  Diagnostics problems;
  const std::optional<Config> config = resolve(input, Path("$"), problems);
  if (!config) raise_config_error(problems);
  return to_python(to_value(*config));
}

py::object load_json(std::string_view data, std::optional<std::size_t> most) {
  Diagnostics problems;
  const std::optional<Value> value = read_json(data, Path("$"), problems, most.value_or(kMaxNodes));
  if (!value) raise_config_error(problems);
  return to_python(*value);
}

// Any text of Python as UTF-8: what has no such form (half a character, a byte of a file name) is written as an escape.
std::string any_text(py::handle object) {
  const py::str given(object);
  Py_ssize_t size = 0;
  if (const char* data = PyUnicode_AsUTF8AndSize(given.ptr(), &size); data != nullptr) {
    return {data, static_cast<std::size_t>(size)};
  }
  PyErr_Clear();
  const py::object bytes = take(PyUnicode_AsEncodedString(given.ptr(), "utf-8", "backslashreplace"));
  return std::string(Parameter<std::string_view>::read(bytes.ptr()));
}

// A diagnostic of the registry, for what Python code finds out.
py::object make_diagnostic(const std::string& code, const py::object& path, const py::dict& context) {
  const auto& registry = catalog().diagnostics;
  for (std::size_t i = 0; i < registry.size(); ++i) {
    if (registry[i].code != code) continue;
    std::vector<std::pair<std::string, std::string>> texts;
    for (const auto& [key, value] : context) texts.emplace_back(any_text(key), any_text(value));
    Context views;
    for (const auto& [key, value] : texts) views.emplace_back(key, value);
    return to_python(Diagnostic{static_cast<Code>(i), printable(any_text(path)), views});
  }
  throw py::key_error(code);
}

// An object as plain Python data: whatever it was, no later code meets a class with a will of its own.
py::object plain_object(const py::object& object, const std::string& path) {
  const Value value = to_core(object);
  if (value.is_null()) return py::dict();
  Diagnostics problems;
  const Path here(path);
  if (!report_unwritable(value, here, problems) && !value.is_object()) {
    problems.add(Code::kNotAnObject, path, {{"got", value.describe()}});
  }
  if (problems.has_errors()) raise_config_error(problems);
  return to_python(value);
}

// The data, or None and what is wrong with the text: for readers that go on.
py::object read_json_line(std::string_view data) {
  Diagnostics problems;
  const std::optional<Value> value = read_json(data, Path("$"), problems);
  if (!value) return make_tuple(none(), text(problems.all().front().message()));
  return make_tuple(to_python(*value), none());
}

py::str shown(const py::object& given) { return text(printable(any_text(given))); }

std::string describe(const py::object& object) { return to_core(object).describe(); }

constexpr Function kConfigFunctions[] = {
    function<&resolve_config>("resolve_config", "config", "The config with presets expanded."),
    function<&check_config>("check_config", "config", "Every diagnostic of a config, without raising."),
    function<&expand_preset>("expand_preset", "name", "A preset's config."),
    function<&make_diagnostic>("make_diagnostic", "code, path, context",
                               "A diagnostic of the registry with its texts filled in."),
    function<&shown>("printable", "text",
                     "A text in which what a reader cannot see, or a terminal would act on, is shown as its escape."),
    function<&plain_object>("plain_object", "object, path", "A JSON object as plain data; None is an empty one."),
    function<&describe>("describe", "object", "What an object is, in the words of messages."),
    function<&read_json_line>("read_json_line", "data",
                              "The data of a line and None, or None and what is wrong with it."),
    function<&load_json>("load_json", "data, most=...", "UTF-8 JSON text as Python data, strictly read."),
};

}  // namespace

void register_config(py::handle module) { add_functions(module, kConfigFunctions); }

}  // namespace quantmap::bindings
