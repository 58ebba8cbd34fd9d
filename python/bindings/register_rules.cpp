// Patterns of rules files.
#include <memory>

#include "convert.hpp"
#include "function.hpp"
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
    const py::gil_scoped_release_simple release;
    return pattern.matches(text);
  }
  Diagnostics problems;
  problems.add(Code::kBadModulePath, "module_path", {{"value", quote(text)}});
  raise_config_error(problems);
}

std::optional<std::size_t> dead_part(const Pattern& pattern) { return pattern.dead_part(); }

constexpr Function kRulesMethods[] = {
    function<&matches>("matches", "text", "Whether re.match would accept the text."),
    function<&Pattern::always>("always", "", "Whether it is plain that every text matches."),
    function<&Pattern::can_match_path>("can_match_path", "", "False only if no module path can match."),
    function<&dead_part>("dead_part", "", "Where a part begins that fits no character of a module path, or None."),
    function<&Pattern::size>("size", "", "How many states it has."),
};

constexpr Function kRulesFunctions[] = {
    function<&read_pattern>("read_pattern", "text, path", "A pattern, compiled."),
};

}  // namespace

void register_rules(py::handle module) {
  add_class<Pattern>(module, "Pattern", "A regular expression of a rules file, compiled.", kRulesMethods);
  add_functions(module, kRulesFunctions);
}

}  // namespace quantmap::bindings
