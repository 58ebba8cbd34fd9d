#include "quantmap/mapping/canonical.hpp"

#include <charconv>
#include <cmath>

#include "quantmap/base/text.hpp"
#include "quantmap/mapping/merge.hpp"

namespace quantmap {

namespace {

// A whole number without a plus sign and leading zeros; empty when the text is none.
std::string whole_number(std::string_view text) {
  const bool negative = text.substr(0, 1) == "-";
  if (negative || text.substr(0, 1) == "+") text.remove_prefix(1);
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) return {};
  const std::size_t first = text.find_first_not_of('0');
  if (first == std::string_view::npos) return "0";
  return (negative ? "-" : "") + std::string(text.substr(first));
}

// The value as the flag's type reads it; what the type cannot read stays as it is.
std::string canonical(FlagType type, const std::string& text) {
  if (type == FlagType::kInt) {
    const std::string number = whole_number(text);
    return number.empty() ? text : number;
  }
  if (type == FlagType::kFloat) {
    const std::size_t plus = text.rfind("+-", 0) != 0 && text.rfind('+', 0) == 0 ? 1 : 0;
    double number = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + plus, end, number);
    if (error == std::errc() && stop == end && std::isfinite(number)) return python_float(number + 0.0);  // no -0.0
  }
  return text;
}

}  // namespace

const std::string& Canonicalizer::canonical_flag(const std::string& flag) {
  const auto found = canonical_flags_.find(flag);
  if (found != canonical_flags_.end()) return found->second;
  return canonical_flags_.emplace(flag, flag_identity(flag, &engine_, &deployment_)).first->second;
}

const FlagInterval* Canonicalizer::interval_of(const std::string& canonical_flag) {
  const auto found = intervals_.find(canonical_flag);
  if (found != intervals_.end()) return found->second;
  const auto known = find_flag(engine_.surface, canonical_flag, deployment_.release);
  return intervals_.emplace(canonical_flag, known ? known->interval : nullptr).first->second;
}

std::string Canonicalizer::value(const std::string& canonical_flag, const ArgumentValue& value) {
  const bool* flag = std::get_if<bool>(&value);
  std::string text = to_text(value);
  if (deployment_.checked) {
    if (flag != nullptr && !*flag) return {};  // no word on the command line
    if (const FlagInterval* interval = interval_of(canonical_flag)) {
      text = canonical(interval->type, text);
      // A switch's default is a switch; the word "true" behind a switch is not one.
      const bool comparable = (flag != nullptr) == (interval->type == FlagType::kBool);
      const bool is_default = comparable && !interval->fallback.empty() &&
                              text == canonical(interval->type, std::string(interval->fallback));
      if (is_default && !keep_defaults_) return {};
    }
  }
  if (flag != nullptr) return text;
  std::string out;
  append_json_string(out, text);
  return out;
}

}  // namespace quantmap
