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

// 16k, 1.5M, 2Gi: a number and the letter of its magnitude.
bool is_size(std::string_view text) {
  const std::size_t letters = text.find_first_not_of("0123456789.");
  if (letters == 0 || text.empty()) return false;
  if (letters == std::string_view::npos) return true;
  return text.size() - letters <= 2 && std::string_view("kKmMgGtT").find(text[letters]) != std::string_view::npos;
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

std::optional<ValueProblem> json_problem(const FlagInterval& flag, std::string_view value) {
  const std::string_view text = trim(value);
  const bool is_object = !text.empty() && text.front() == '{';
  if (flag.json == JsonForm::kOther || (flag.json == JsonForm::kOrText && !is_object)) return std::nullopt;
  if (!text.empty() && std::all_of(text.begin(), text.end(), is_digit)) return std::nullopt;
  Diagnostics problems;
  const auto read = read_json(without_sizes(text), Path("$"), problems);
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

std::optional<ValueProblem> number_problem(const FlagInterval& flag, std::string_view value) {
  const bool whole = flag.type == FlagType::kInt;
  if (const auto number = number_of(value, whole)) return bound_problem(flag, *number);
  if (flag.numbers != NumberForm::kPlain && is_size(value)) return std::nullopt;
  if (!flag.automatic.empty() && value == flag.automatic) return std::nullopt;
  const std::string kind = whole ? "an integer" : "a number";
  return ValueProblem{"expects " + kind, "write " + kind};
}

}  // namespace

bool means_none(const FlagInterval& flag, std::string_view value) noexcept {
  return flag.none && (value.empty() || value == kNotSet);
}

std::optional<ValueProblem> value_problem(const FlagInterval& flag, std::string_view value) {
  if (means_none(flag, value)) return std::nullopt;
  if (flag.type == FlagType::kInt || flag.type == FlagType::kFloat) return number_problem(flag, value);
  if (flag.type == FlagType::kJson || flag.json == JsonForm::kOrText) return json_problem(flag, value);
  return std::nullopt;
}

std::optional<ValueProblem> key_problem(const FlagInterval& flag, std::string_view key) {
  if (!flag.keys_known || flag.keys.empty() || knows_key(flag, key)) return std::nullopt;
  const std::string near(did_you_mean(key, flag.keys));
  return ValueProblem{"has no key " + quote(key) + " here", near, true, !flag.keys_closed};
}

}  // namespace quantmap
