#include "quantmap/config/validate.hpp"
#include "quantmap/catalog/codes.hpp"

#include <charconv>
#include <cmath>

#include "quantmap/base/text.hpp"

namespace quantmap {

namespace {

// The option that a loose spelling means: the same dtype under another name, or its family.
std::string_view option_for_spelling(const Field& field, std::string_view word) {
  const std::string wanted = lower(trim(word));
  for (const Option& option : field.options) {
    if (lower(option.id) == wanted) return option.id;
  }
  for (const Dtype& dtype : catalog().dtypes) {
    for (const std::string_view spelling : dtype.spellings) {
      if (spelling != wanted) continue;
      for (const std::string_view other : dtype.spellings) {
        if (find_option(field, other) >= 0) return other;
      }
      if (find_option(field, dtype.family) >= 0) return dtype.family;
    }
  }
  return {};
}

std::vector<std::string_view> option_names(const Field& field) {
  std::vector<std::string_view> names;
  for (const Option& option : field.options) names.push_back(option.id);
  return names;
}

void report_unknown_value(const Field& field, const std::string& shown, std::string_view word, const Path& path,
                          Diagnostics& problems) {
  const std::vector<std::string_view> names = option_names(field);
  const std::string_view meant = option_for_spelling(field, word);
  const std::string hint = meant.empty() ? did_you_mean(word, names) : "did you mean " + quote(meant) + "?";
  problems.add(Code::kUnknownValue, path.str(),
               {{"value", shown}, {"field", std::string(field.key)}, {"known", join(names)}, {"hint", hint}});
}

std::optional<Setting> read_option(const Field& field, const Value& value, const Path& path, Diagnostics& problems) {
  const bool numbers = !field.options.empty() && field.options[0].number >= 0;
  if (value.kind() != (numbers ? Value::Kind::kInteger : Value::Kind::kText)) {
    report_wrong_type(value, "one of " + join(option_names(field)), path, problems);
    return std::nullopt;
  }
  const int option = find_option(field, value.as_text());
  if (option < 0) {
    report_unknown_value(field, numbers ? value.as_text() : quote(value.as_text()), value.as_text(), path, problems);
    return std::nullopt;
  }
  return Setting{true, option, 0.0};
}

std::optional<Setting> read_integer(const Field& field, const Value& value, const Path& path, Diagnostics& problems) {
  if (value.kind() != Value::Kind::kInteger) {
    report_wrong_type(value, "an integer", path, problems);
    return std::nullopt;
  }
  const std::string& digits = value.as_text();
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size() || number < field.minimum ||
      number > field.maximum) {
    problems.add(Code::kOutOfRange, path.str(),
                 {{"value", digits.size() > 40 ? digits.substr(0, 40) + "..." : digits},
                  {"known", std::to_string(field.minimum) + " to " + std::to_string(field.maximum)}});
    return std::nullopt;
  }
  return Setting{true, number, 0.0};
}

std::optional<Setting> read_fraction(const Value& value, const Path& path, Diagnostics& problems) {
  double number = 0.0;
  if (value.kind() == Value::Kind::kReal) {
    number = value.as_real();
  } else if (value.kind() == Value::Kind::kInteger) {
    number = value.as_text() == "1" ? 1.0 : 0.0;  // the only integer inside the range
  } else {
    report_wrong_type(value, "a number", path, problems);
    return std::nullopt;
  }
  if (!(number > 0.0 && number <= 1.0)) {
    const bool finite = std::isfinite(number);
    const std::string shown = value.kind() == Value::Kind::kInteger ? quote(value.as_text())
                              : finite                              ? python_float(number)
                                                                    : "a number that is not finite";
    problems.add(Code::kOutOfRange, path.str(), {{"value", shown}, {"known", "0 (excluded) to 1"}});
    return std::nullopt;
  }
  return Setting{true, 0, number};
}

class Reader {
 public:
  Reader(Diagnostics& problems, Explicit& out) : problems_(problems), out_(out) {}

  void read_object(const Value& object, const Path& path) {
    const Catalog& all = catalog();
    for (const auto& [key, value] : object.members()) {
      if (key == all.keys.preset || key == all.keys.presets || key == all.keys.wrapper) continue;
      const Path here(path, key);
      if (report_bad_key(value, here)) continue;
      if (const Field* field = top_field(key)) {
        read_field(*field, value, here);
      } else if (!read_section(key, value, here)) {
        report_unknown_key(key, here);
      }
    }
    if (!first_key_[0].empty() && !first_key_[1].empty()) {
      problems_.add(Code::kMixedForms, path.str(),
                    {{"four_field", std::string(first_key_[0])}, {"unified", std::string(first_key_[1])}});
    }
  }

 private:
  static const Field* top_field(std::string_view key) {
    for (const Field& field : catalog().fields) {
      if (field.section.empty() && field.key == key) return &field;
    }
    return nullptr;
  }

  bool report_bad_key(const Value& value, const Path& path) {
    if (value.kind() != Value::Kind::kBroken || value.problem() != Code::kNonStringKey) return false;
    report_wrong_type(value, {}, path, problems_);
    return true;
  }

  void note_form(Form form, std::string_view key) {
    std::string_view& first = first_key_[static_cast<std::size_t>(form)];
    if (first.empty()) first = key;
    out_.form = form;
  }

  void read_field(const Field& field, const Value& value, const Path& path) {
    note_form(field.form, field.section.empty() ? field.key : field.section);
    if (value.is_null()) return;
    out_.mentioned |= std::uint64_t{1} << index_of(field.field);
    if (const auto setting = read_setting(field, value, path, problems_, &out_.config.label)) {
      out_.config[field.field] = *setting;
    }
  }

  bool read_section(std::string_view key, const Value& value, const Path& path) {
    const auto& sections = catalog().sections;
    for (std::size_t i = 0; i < sections.size(); ++i) {
      if (sections[i].id != key) continue;
      note_form(Form::kUnified, sections[i].id);
      if (value.is_null()) return true;
      if (!value.is_object()) {
        report_wrong_type(value, "an object", path, problems_);
        return true;
      }
      out_.config.sections |= std::uint32_t{1} << i;
      for (const auto& [inner, inner_value] : value.members()) read_member(key, inner, inner_value, Path(path, inner));
      return true;
    }
    return false;
  }

  void read_member(std::string_view section, const std::string& key, const Value& value, const Path& path) {
    if (report_bad_key(value, path)) return;
    std::vector<std::string_view> known;
    for (const Field& field : catalog().fields) {
      if (field.section != section) continue;
      if (field.key == key) return read_field(field, value, path);
      known.push_back(field.key);
    }
    std::string hint = did_you_mean(key, known);
    if (hint.empty()) hint = "known keys: " + join(known);
    problems_.add(Code::kUnknownKey, path.str(), {{"value", quote(key)}, {"hint", hint}});
  }

  void report_unknown_key(const std::string& key, const Path& path) {
    const Catalog& all = catalog();
    std::vector<std::string_view> known{all.keys.preset, all.keys.presets, all.keys.wrapper};
    std::string inside;
    for (const Field& field : all.fields) {
      if (field.section.empty()) {
        known.push_back(field.key);
      } else if (field.key == key && inside.empty()) {
        inside = "it belongs inside " + quote(field.section);
      }
    }
    for (const Section& section : all.sections) known.push_back(section.id);
    std::string hint = inside.empty() ? did_you_mean(key, known) : inside;
    if (hint.empty()) hint = "known keys: " + join(known);
    problems_.add(Code::kUnknownKey, path.str(), {{"value", quote(key)}, {"hint", hint}});
  }

  Diagnostics& problems_;
  Explicit& out_;
  std::string_view first_key_[2];  // by Form
};

}  // namespace

void report_wrong_type(const Value& value, std::string expected, const Path& path, Diagnostics& problems,
                       std::string hint) {
  if (value.kind() == Value::Kind::kBroken) {
    Context context;
    if (!value.as_text().empty()) context.emplace_back("got", value.as_text());
    if (value.problem() == Code::kTooDeep) context.emplace_back("known", std::to_string(kMaxDepth));
    if (value.problem() == Code::kTooLarge) context.emplace_back("known", std::to_string(kMaxNodes) + " values");
    problems.add(value.problem(), path.str(), std::move(context));
    return;
  }
  if (value.kind() == Value::Kind::kReal && !std::isfinite(value.as_real())) {
    problems.add(Code::kNotFinite, path.str(),
                 {{"value", std::isnan(value.as_real()) ? "NaN"
                            : value.as_real() > 0       ? "Infinity"
                                                        : "-Infinity"}});
    return;
  }
  if (hint.empty()) hint = "write " + expected;
  problems.add(Code::kWrongType, path.str(),
               {{"expected", std::move(expected)}, {"got", value.describe()}, {"hint", std::move(hint)}});
}

std::optional<Setting> read_setting(const Field& field, const Value& value, const Path& path, Diagnostics& problems,
                                    std::string* label) {
  if (value.is_array()) {
    problems.add(Code::kListOfValues, path.str());
    return std::nullopt;
  }
  switch (field.kind) {
    case FieldKind::kOption: return read_option(field, value, path, problems);
    case FieldKind::kInteger: return read_integer(field, value, path, problems);
    case FieldKind::kFraction: return read_fraction(value, path, problems);
    case FieldKind::kBoolean:
      if (value.kind() == Value::Kind::kBoolean) return Setting{true, value.as_boolean() ? 1 : 0, 0.0};
      report_wrong_type(value, "true or false", path, problems);
      return std::nullopt;
    case FieldKind::kLabel: break;
  }
  if (!value.is_text()) {
    report_wrong_type(value, "a string", path, problems);
    return std::nullopt;
  }
  if (label != nullptr) *label = value.as_text();
  return Setting{true, 0, 0.0};
}

Explicit validate(const Value& object, const Path& path, Diagnostics& problems) {
  Explicit out;
  Reader(problems, out).read_object(object, path);
  if (out.form) out.config.form = *out.form;
  return out;
}

}  // namespace quantmap
