#include "quantmap/mapping/merge.hpp"
#include "quantmap/catalog/codes.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "base/letters.hpp"
#include "quantmap/base/json_io.hpp"
#include "quantmap/base/text.hpp"
#include "quantmap/config/validate.hpp"
#include "quantmap/deployment/verdict.hpp"

namespace quantmap {

namespace {

bool is_list_of_lists(const Value& value) {
  const auto& items = value.items();
  return !items.empty() && items.front().is_array();
}

std::optional<ArgumentValue> checked_text(std::string text, const Path& path, Diagnostics& problems) {
  if (text.find('\0') != std::string::npos) {
    problems.add(Code::kNulCharacter, path.str());
    return std::nullopt;
  }
  if (text.size() > kMaxArgument) {
    problems.add(Code::kTooLarge, path.str(),
                 {{"got", std::to_string(text.size()) + " bytes"}, {"known", std::to_string(kMaxArgument) + " bytes"}});
    return std::nullopt;
  }
  return ArgumentValue(std::move(text));
}

}  // namespace

std::string flag_spelling(std::string_view key) {
  return key.substr(0, 1) == "-" ? std::string(key) : "--" + std::string(key);
}

std::string flag_identity(std::string_view flag, const Engine* engine, const Deployment* deployment) {
  std::string name = flag_spelling(flag);
  if (deployment != nullptr && deployment->checked) {
    const auto known = find_spelling(engine->surface, name, deployment->release);
    if (known) return std::string(written_name(*known, name));
  }
  if (name.size() > 2 && name[1] == '-') {
    const std::size_t end = std::min(name.find('.'), name.size());  // a dotted rest is a path into a JSON value
    std::replace(name.begin() + 2, name.begin() + static_cast<std::ptrdiff_t>(end), '_', '-');
  }
  if (engine == nullptr) return name;
  for (const Flag& known : engine->flags) {
    if (std::find(known.aliases.begin(), known.aliases.end(), std::string_view(name)) == known.aliases.end()) continue;
    name = known.id;
    break;
  }
  if (deployment != nullptr && deployment->checked) {  // the release may know what the alias stands for
    const auto known = find_spelling(engine->surface, name, deployment->release);
    if (known) return std::string(written_name(*known, name));
  }
  return name;
}

bool report_unwritable(const Value& value, const Path& path, Diagnostics& problems) {
  bool bad = false;
  switch (value.kind()) {
    case Value::Kind::kArray:
      for (std::size_t i = 0; i < value.items().size(); ++i) {
        bad |= report_unwritable(value.items()[i], Path(path, i), problems);
      }
      return bad;
    case Value::Kind::kObject:
      for (const auto& [key, inner] : value.members()) bad |= report_unwritable(inner, Path(path, key), problems);
      return bad;
    case Value::Kind::kReal: bad = !std::isfinite(value.as_real()); break;
    case Value::Kind::kForeign:
    case Value::Kind::kBroken: bad = true; break;
    default: break;
  }
  if (bad) report_wrong_type(value, "a JSON value", path, problems);
  return bad;
}

bool is_parameter_name(std::string_view key) noexcept {
  const std::size_t begin = key.find_first_not_of('-');
  if (begin == std::string_view::npos || begin > 2 || key.size() > 256) return false;
  return std::all_of(key.begin() + static_cast<std::ptrdiff_t>(begin), key.end(),
                     [](char c) { return is_alnum_or(c, "_-."); });
}

std::optional<ArgumentValue> parameter_value(const Value& value, const Path& path, Diagnostics& problems) {
  switch (value.kind()) {
    case Value::Kind::kNull: return std::nullopt;
    case Value::Kind::kBoolean: return ArgumentValue(value.as_boolean());
    case Value::Kind::kInteger: return checked_text(value.as_text(), path, problems);
    case Value::Kind::kText: return checked_text(value.as_text(), path, problems);
    case Value::Kind::kReal:
      if (!std::isfinite(value.as_real())) break;
      return ArgumentValue(python_float(value.as_real()));
    case Value::Kind::kArray:
      if (value.items().empty()) return std::nullopt;
      if (!is_list_of_lists(value)) return parameter_value(value.items().front(), Path(path, std::size_t{0}), problems);
      [[fallthrough]];
    case Value::Kind::kObject:
      if (report_unwritable(value, path, problems)) return std::nullopt;
      return checked_text(write_json(value), path, problems);
    case Value::Kind::kForeign:
    case Value::Kind::kBroken: break;
  }
  report_wrong_type(value, "a string, number, boolean, list or object", path, problems);
  return std::nullopt;
}

void merge(std::vector<Argument>& arguments, const Value& parameters, const Engine* engine, const Path& path,
           Diagnostics& problems, const Deployment* deployment) {
  if (parameters.is_null()) return;
  if (!parameters.is_object()) {
    report_wrong_type(parameters, "an object of parameters", path, problems);
    return;
  }
  struct Place {
    std::size_t index;
    std::string_view user_key;  // empty: derived
  };
  std::unordered_map<std::string, Place> places;  // by identity
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i].kind == ChannelKind::kFlag)
      places.try_emplace(flag_identity(arguments[i].flag, engine, deployment), Place{i, {}});
  }
  for (const auto& [key, value] : parameters.members()) {
    const Path here(path, key);
    if (value.kind() == Value::Kind::kBroken && value.problem() == Code::kNonStringKey) {
      report_wrong_type(value, {}, here, problems);
      continue;
    }
    if (!is_parameter_name(key)) {
      problems.add(Code::kBadParameterName, here.str(), {{"value", quote(key)}});
      continue;
    }
    std::optional<ArgumentValue> taken = parameter_value(value, here, problems);
    if (!taken) continue;
    const auto [found, is_new] =
        places.try_emplace(flag_identity(key, engine, deployment), Place{arguments.size(), key});
    if (is_new) {
      const bool renamed = deployment != nullptr && deployment->checked &&
                           find_flag(engine->surface, found->first, deployment->release).has_value();
      Argument argument;
      argument.flag = renamed ? found->first : flag_spelling(key);
      argument.value = std::move(*taken);
      arguments.push_back(std::move(argument));
      continue;
    }
    Place& place = found->second;
    if (!place.user_key.empty()) {
      problems.add(Code::kDuplicateParameter, here.str(), {{"first", quote(place.user_key)}, {"second", quote(key)}});
    }
    place.user_key = key;
    Argument argument;
    argument.flag = arguments[place.index].flag;
    argument.value = std::move(*taken);
    arguments[place.index] = std::move(argument);
  }
}

}  // namespace quantmap
