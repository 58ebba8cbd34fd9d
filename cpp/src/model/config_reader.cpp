#include "model/config_reader.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "quantmap/base/text.hpp"
#include "quantmap/catalog/codes.hpp"

namespace quantmap {

namespace {

const Value* step(const Value& from, std::string_view key) {
  const Value* at = &from;
  while (at != nullptr && !key.empty()) {
    const std::size_t dot = std::min(key.find('.'), key.size());
    at = at->find(key.substr(0, dot));
    key.remove_prefix(std::min(dot + 1, key.size()));
  }
  return at == nullptr || at->is_null() ? nullptr : at;
}

}  // namespace

const Value* ConfigReader::find(Keys keys) const {
  for (const std::string_view key : keys) {
    if (const Value* value = step(config_, key)) return value;
  }
  return nullptr;
}

void ConfigReader::unusable(const Value& value, std::string_view key) const {
  const bool scalar = value.kind() == Value::Kind::kInteger || value.is_text();
  const std::string got = scalar ? value.describe() + " " + quote(value.as_text()) : value.describe();
  warnings_.add_once(Code::kUnusableInCheckpoint, path_.str() + key_step(key), {{"key", quote(key)}, {"got", got}});
}

std::optional<std::int64_t> ConfigReader::as_number(const Value& value, std::string_view key) const {
  if (value.kind() == Value::Kind::kInteger) {
    std::int64_t out = 0;
    const std::string& digits = value.as_text();
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
    if (error == std::errc() && end == digits.data() + digits.size() && out <= kLargestNumber) {
      return std::max<std::int64_t>(out, 0);
    }
  } else if (value.kind() == Value::Kind::kReal) {
    const double real = value.as_real();
    if (real < 0) return 0;
    if (real <= static_cast<double>(kLargestNumber) && std::floor(real) == real) return static_cast<std::int64_t>(real);
  }
  unusable(value, key);
  return std::nullopt;
}

std::int64_t ConfigReader::number(Keys keys, std::int64_t otherwise) const {
  for (const std::string_view key : keys) {
    const Value* value = step(config_, key);
    if (value == nullptr) continue;
    if (!value->is_array()) return as_number(*value, key).value_or(otherwise);
    const std::vector<std::int64_t> list = numbers({key});
    return list.empty() ? otherwise : *std::max_element(list.begin(), list.end());
  }
  return otherwise;
}

std::optional<bool> ConfigReader::flag(Keys keys) const {
  for (const std::string_view key : keys) {
    const Value* value = step(config_, key);
    if (value == nullptr) continue;
    if (value->kind() == Value::Kind::kBoolean) return value->as_boolean();
    if (value->kind() == Value::Kind::kInteger) return value->as_text() != "0";
    unusable(*value, key);
  }
  return std::nullopt;
}

std::string ConfigReader::text(Keys keys) const {
  for (const std::string_view key : keys) {
    const Value* value = step(config_, key);
    if (value == nullptr) continue;
    if (value->is_text()) return std::string(head(value->as_text(), 200));
    unusable(*value, key);
  }
  return {};
}

// The items of the first of these keys that is there, with its name.
std::pair<std::span<const Value>, std::string_view> ConfigReader::list(Keys keys) const {
  for (const std::string_view key : keys) {
    const Value* value = step(config_, key);
    if (value == nullptr) continue;
    if (value->is_array() && value->items().size() <= kMostLayers) return {value->items(), key};
    unusable(*value, key);
    break;
  }
  return {};
}

std::vector<std::int64_t> ConfigReader::numbers(Keys keys) const {
  std::vector<std::int64_t> out;
  const auto [items, key] = list(keys);
  for (const Value& item : items) {
    const auto number = item.is_null() ? std::optional<std::int64_t>(0) : as_number(item, key);
    if (!number) return {};
    out.push_back(*number);
  }
  return out;
}

std::vector<std::string> ConfigReader::words(Keys keys) const {
  std::vector<std::string> out;
  const auto [items, key] = list(keys);
  for (const Value& item : items) {
    if (!item.is_text()) {
      unusable(item, key);
      return {};
    }
    out.push_back(lower(head(item.as_text(), 200)));
  }
  return out;
}

std::optional<double> ConfigReader::real(Keys keys) const {
  const Value* value = find(keys);
  if (value == nullptr) return std::nullopt;
  if (value->kind() == Value::Kind::kReal) return value->as_real();
  return static_cast<double>(number(keys));
}

std::int64_t ConfigReader::number_if(Keys keys) const {
  for (const std::string_view key : keys) {
    const Value* value = step(config_, key);
    if (value != nullptr && value->kind() == Value::Kind::kInteger) return number({key});
  }
  return 0;
}

std::string ConfigReader::text_if(Keys keys) const {
  for (const std::string_view key : keys) {
    const Value* value = step(config_, key);
    if (value != nullptr && value->is_text()) return std::string(head(value->as_text(), kMostLayers));
  }
  return {};
}

std::vector<std::int64_t> ConfigReader::list_if(Keys keys) const {
  for (const std::string_view key : keys) {
    const Value* value = step(config_, key);
    if (value != nullptr && value->is_array()) return numbers({key});
  }
  return {};
}

}  // namespace quantmap
