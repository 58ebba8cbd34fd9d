#include "plan/structured.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

#include "quantmap/catalog/codes.hpp"
#include "quantmap/config/validate.hpp"

namespace quantmap {

namespace {

constexpr std::string_view kType = "type";
constexpr std::string_view kLists[] = {"values", "choices"};
constexpr std::string_view kOneOf[] = {"choice", "categorical"};
constexpr std::string_view kWhole = "integer";
constexpr std::string_view kContinuous = "continuous";
constexpr std::string_view kLow = "low";
constexpr std::string_view kHigh = "high";
constexpr std::uint64_t kMostOfRange = 100'000;

std::optional<std::int64_t> whole(const Value* value) {
  if (value == nullptr || value->kind() != Value::Kind::kInteger) return std::nullopt;
  std::int64_t out = 0;
  const std::string& digits = value->as_text();
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
  const bool good = error == std::errc() && end == digits.data() + digits.size();
  return good ? std::optional<std::int64_t>(out) : std::nullopt;
}

void refuse(Diagnostics& problems, const Path& path, std::string expected, std::string got, std::string hint) {
  problems.add(Code::kWrongType, path.str(),
               {{"expected", std::move(expected)}, {"got", std::move(got)}, {"hint", std::move(hint)}});
}

Value range(const Value& given, const Path& path, Diagnostics& problems) {
  const std::optional<std::int64_t> low = whole(given.find(kLow));
  const std::optional<std::int64_t> high = whole(given.find(kHigh));
  Value out = Value::array();
  if (!low || !high || *low > *high) {
    refuse(problems, path, "a range of whole numbers", "other bounds", "write low and high as integers, low first");
    return out;
  }
  const std::uint64_t count = static_cast<std::uint64_t>(*high) - static_cast<std::uint64_t>(*low);
  if (count >= kMostOfRange) {
    problems.add(Code::kOverLimit, path.str(),
                 {{"got", "the range"}, {"known", std::to_string(kMostOfRange) + " values"}});
    return out;
  }
  for (std::uint64_t i = 0; i <= count; ++i) {
    out.append(Value::integer(std::to_string(*low + static_cast<std::int64_t>(i))));
  }
  return out;
}

}  // namespace

Value searched_values(const Value& given, const Path& path, std::string& place, Diagnostics& problems) {
  const Value* type = given.is_object() ? given.find(kType) : nullptr;
  if (type == nullptr || !type->is_text()) return given;
  const std::string& name = type->as_text();
  if (std::find(std::begin(kOneOf), std::end(kOneOf), name) != std::end(kOneOf)) {
    for (const std::string_view key : kLists) {
      const Value* values = given.find(key);
      if (values == nullptr || !values->is_array()) continue;
      place = key_step(key);
      return *values;
    }
    return given;
  }
  const bool bounds = given.find(kLow) != nullptr && given.find(kHigh) != nullptr;
  if (!bounds) return given;  // an argument that is an object with a type of its own
  if (name == kWhole) return range(given, path, problems);
  if (name == kContinuous) {
    refuse(problems, path, "values to compare", "a continuous range, which has no end of them",
           "list the values to compare");
  }
  return given;
}

}  // namespace quantmap
