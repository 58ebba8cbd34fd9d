#include "quantmap/release/flag_value.hpp"
#include "quantmap/catalog/codes.hpp"

#include <algorithm>
#include <charconv>

#include "base/letters.hpp"
#include "quantmap/base/json_io.hpp"
#include "quantmap/base/text.hpp"

namespace quantmap {

namespace {

constexpr std::string_view kNotSet = "None";  // of Python, as the parsers that read it spell it

std::optional<double> number_of(std::string_view text, bool whole) {
  const char* begin = text.data();
  const char* end = begin + text.size();
  if (!text.empty() && *begin == '+') ++begin;
  double number = 0;
  const auto [stop, error] = std::from_chars(begin, end, number);
  if (stop != end || error != std::errc()) return std::nullopt;
  const bool digits = std::all_of(begin, end, [](char c) { return is_digit(c) || c == '-'; });
  if (whole && !digits) return std::nullopt;
  return number;
}

// A number and the unit of its magnitude: 16k, 1.5m, 16K, or 16k, 1.5M, 16Ki. Binary units take whole numbers.
// vllm 0.33.0 vllm/utils/argparse_utils.py, sglang 0.5.23 sglang/srt/utils/common.py: human_readable_int
bool is_size(std::string_view text, NumberForm form) {
  const std::size_t end = std::min(text.find_first_not_of("0123456789."), text.size());
  const std::string_view number = text.substr(0, end);
  const std::string_view unit = text.substr(end);
  const std::size_t point = number.find('.');
  const bool whole = point == std::string_view::npos;
  if (number.empty() || !is_digit(number.front()) || !is_digit(number.back())) return false;
  if (!whole && number.find('.', point + 1) != std::string_view::npos) return false;
  const auto one_of = [&unit](std::string_view units) { return unit.size() == 1 && units.find(unit) != units.npos; };
  if (form == NumberForm::kSize) return one_of("kmgt") || (whole && one_of("KMGT"));
  const bool binary = unit.size() == 2 && unit[1] == 'i' && std::string_view("KMGT").find(unit[0]) != unit.npos;
  return one_of("kMGT") || (whole && binary);
}

// JSON in which numbers may have a letter behind them, outside of texts, as engines read sizes.
std::string without_sizes(std::string_view text) {
  std::string out;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\' && quoted && i + 1 < text.size()) {
      out += c;
      out += text[++i];
      continue;
    }
    if (c == '"') quoted = !quoted;
    const bool letter =
        !quoted && i > 0 && is_digit(text[i - 1]) && std::string_view("kKmMgGtT").find(c) != std::string_view::npos;
    if (!letter) out += c;
  }
  return out;
}

std::string shown(double number) {
  const std::string text = python_float(number);
  return text.size() > 2 && text.substr(text.size() - 2) == ".0" ? text.substr(0, text.size() - 2) : text;
}

bool knows_key(const FlagInterval& flag, std::string_view key) {
  std::string dashes(key);
  std::replace(dashes.begin(), dashes.end(), '-', '_');
  return std::any_of(flag.keys.begin(), flag.keys.end(),
                     [&](std::string_view known) { return known == key || known == dashes; });
}

// a=1,b=2
bool is_pairs(std::string_view text) {
  while (true) {
    const std::string_view pair = text.substr(0, text.find(','));
    const std::size_t mark = pair.find('=');
    if (mark == std::string_view::npos || !number_of(trim(pair.substr(mark + 1)), true)) return false;
    if (pair.size() == text.size()) return true;
    text.remove_prefix(pair.size() + 1);
  }
}

// Whether a text that need be no JSON is taken: a number, any text but an object, an object as Python writes it.
bool takes_besides_json(JsonForm form, std::string_view text) {
  if (!text.empty() && std::all_of(text.begin(), text.end(), is_digit)) return true;
  const bool is_object = text.starts_with('{');
  if (form == JsonForm::kOrText) return !is_object;
  if (form == JsonForm::kOrPairs) return !is_object && is_pairs(text);
  const bool quotes = text.find('\'') != std::string_view::npos;
  return form == JsonForm::kOrPython && is_object && text.ends_with('}') && quotes;
}

std::optional<ValueProblem> json_problem(const FlagInterval& flag, std::string_view value) {
  const std::string_view text = trim(value);
  const bool is_object = text.starts_with('{');
  if (takes_besides_json(flag.json, text)) return std::nullopt;
  Diagnostics problems;
  const auto read = read_json(is_object ? without_sizes(text) : std::string(text), Path("$"), problems);
  if (!read) {
    for (const Diagnostic& problem : problems.all()) {
      // Python's reader takes a key twice; what is too deep or too large for ours says nothing of theirs.
      if (problem.code != Code::kInvalidJson) return std::nullopt;
    }
    return ValueProblem{"expects JSON, which this is not", "write it as '{\"key\": value}'"};
  }
  for (const auto& [key, member] : read->members()) {
    if (auto problem = key_problem(flag, key)) return problem;
  }
  return std::nullopt;
}

std::optional<ValueProblem> bound_problem(const FlagInterval& flag, double number) {
  const Bounds& bounds = flag.bounds;
  const bool below = bounds.has_least && (bounds.least_open ? number <= bounds.least : number < bounds.least);
  const bool above = bounds.has_most && (bounds.most_open ? number >= bounds.most : number > bounds.most);
  if (!below && !above) return std::nullopt;
  std::string range;
  if (bounds.has_least) range += std::string(bounds.least_open ? "more than " : "at least ") + shown(bounds.least);
  if (bounds.has_least && bounds.has_most) range += " and ";
  if (bounds.has_most) range += std::string(bounds.most_open ? "less than " : "at most ") + shown(bounds.most);
  return ValueProblem{"takes " + range + " here", "write a number in that range", true};
}

// A number without the blanks around it that Python's int and float pass over: no-break and wide ones too.
std::string_view bare_number(std::string_view text) {
  constexpr std::string_view kBlanks[] = {" ", "\t", "\n", "\r", "\xc2\xa0", "\xe3\x80\x80", "\xe2\x80\xaf"};
  for (bool cut = true; cut;) {
    cut = false;
    for (const std::string_view blank : kBlanks) {
      while (text.starts_with(blank)) text.remove_prefix(blank.size()), cut = true;
      while (text.ends_with(blank)) text.remove_suffix(blank.size()), cut = true;
    }
  }
  return text;
}

std::optional<ValueProblem> number_problem(const FlagInterval& flag, std::string_view given) {
  const std::string_view value = bare_number(given);
  const bool whole = flag.type == FlagType::kInt;
  if (const auto number = number_of(value, whole)) return bound_problem(flag, *number);
  if (flag.numbers != NumberForm::kPlain && is_size(value, flag.numbers)) return std::nullopt;
  if (!flag.automatic.empty() && lower(value) == flag.automatic) return std::nullopt;
  const std::string kind = whole ? "an integer" : "a number";
  return ValueProblem{"expects " + kind, "write " + kind};
}

std::optional<ValueProblem> list_problem(const FlagInterval& flag, std::string_view value) {
  if (value.starts_with('[')) return std::nullopt;  // not of a line
  const std::vector<std::string_view> words = words_of(value);
  if (flag.words != 0 && words.size() != flag.words) {
    const std::string count = std::to_string(flag.words);
    return ValueProblem{"expected " + count + " arguments", "write " + count + " words"};
  }
  const bool whole = flag.item == FlagType::kInt;
  if (!whole && flag.item != FlagType::kFloat) return std::nullopt;
  for (const std::string_view word : words) {
    if (number_of(word, whole)) continue;
    const std::string kind = whole ? "integers" : "numbers";
    return ValueProblem{"expects " + kind + ", and not " + quote(word), "write " + kind + " with spaces between"};
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::string_view> words_of(std::string_view value) {
  std::vector<std::string_view> out;
  for (std::size_t at = 0; at < value.size();) {
    const std::size_t end = std::min(value.find(' ', at), value.size());
    if (end > at) out.push_back(value.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

bool means_none(const FlagInterval& flag, std::string_view value) noexcept {
  return flag.none && (value.empty() || value == kNotSet);
}

std::optional<ValueProblem> value_problem(const FlagInterval& flag, std::string_view value) {
  if (means_none(flag, value)) return std::nullopt;
  if (flag.type == FlagType::kInt || flag.type == FlagType::kFloat) return number_problem(flag, value);
  if (flag.type == FlagType::kList) return list_problem(flag, value);
  if (flag.type == FlagType::kJson || flag.json == JsonForm::kOrText) return json_problem(flag, value);
  return std::nullopt;
}

std::optional<ValueProblem> key_problem(const FlagInterval& flag, std::string_view key) {
  if (!flag.keys_known || flag.keys.empty() || knows_key(flag, key)) return std::nullopt;
  const std::string near(did_you_mean(key, flag.keys));
  return ValueProblem{"has no key " + quote(key) + " here", near, true, !flag.keys_closed};
}

}  // namespace quantmap
