// Reading numbers out of a model's config, whose keys have many names and whose values cannot be trusted.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quantmap/base/diagnostic.hpp"
#include "quantmap/base/value.hpp"

namespace quantmap {

using Keys = std::initializer_list<std::string_view>;

// Larger than anything real, and small enough that the sum of some products of two stays within 64 bits.
inline constexpr std::int64_t kLargestNumber = (std::int64_t{1} << 31) - 1;
inline constexpr std::size_t kMostLayers = 4096;

class ConfigReader {
 public:
  ConfigReader(const Value& config, const Path& path, Diagnostics& warnings)
      : config_(config), path_(path), warnings_(warnings) {}

  // The first of the keys that is present and not null; a dot steps into an object: "attn_config.kv_n_heads".
  [[nodiscard]] const Value* find(Keys keys) const;
  [[nodiscard]] bool has(Keys keys) const { return find(keys) != nullptr; }
  // A count. Absent, null or negative (a way to say "none"): 0. A list has one for each layer: the largest.
  [[nodiscard]] std::int64_t number(Keys keys, std::int64_t otherwise = 0) const;
  [[nodiscard]] std::optional<bool> flag(Keys keys) const;
  [[nodiscard]] std::string text(Keys keys) const;
  // A list of counts; empty when it is not one.
  [[nodiscard]] std::vector<std::int64_t> numbers(Keys keys) const;
  // A list of words in lower case; empty when it is not one.
  [[nodiscard]] std::vector<std::string> words(Keys keys) const;
  [[nodiscard]] std::optional<double> real(Keys keys) const;

  // The same for keys that hold one kind of value in some models and another in others: nothing is reported.
  [[nodiscard]] std::int64_t number_if(Keys keys) const;
  [[nodiscard]] std::string text_if(Keys keys) const;
  [[nodiscard]] std::vector<std::int64_t> list_if(Keys keys) const;

  // A reader of an object inside this config.
  [[nodiscard]] ConfigReader inside(const Value& value) const { return {value, path_, warnings_}; }

 private:
  [[nodiscard]] std::pair<std::span<const Value>, std::string_view> list(Keys keys) const;
  [[nodiscard]] std::optional<std::int64_t> as_number(const Value& value, std::string_view key) const;
  void unusable(const Value& value, std::string_view key) const;

  const Value& config_;
  const Path& path_;
  Diagnostics& warnings_;
};

}  // namespace quantmap
