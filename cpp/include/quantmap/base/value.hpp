// A tree of JSON-like input, as given: what bindings and the JSON reader hand to the validator.
//
// It can also hold what is not JSON (a Python set, a key that is no text), so that the validator, which knows the
// path, reports it. Readers translate and judge nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quantmap/catalog/catalog_ids.hpp"

namespace quantmap {

// Deepest nesting that readers follow; nothing documented needs more than four.
inline constexpr std::size_t kMaxDepth = 64;
// Most values that readers take: a container that holds itself many times over is cut here, not at the end of memory.
inline constexpr std::size_t kMaxNodes = 1'000'000;

class Value {
 public:
  enum class Kind : std::uint8_t { kNull, kBoolean, kInteger, kReal, kText, kArray, kObject, kForeign, kBroken };
  using Member = std::pair<std::string, Value>;

  Value() = default;
  static Value boolean(bool value);
  static Value integer(std::string digits);  // any size, as printed
  static Value real(double value);
  static Value text(std::string value);
  static Value array();
  static Value object();
  static Value foreign(std::string type_name);              // a type that JSON does not have
  static Value broken(Code code, std::string detail = {});  // what a reader could not translate, and why

  [[nodiscard]] Kind kind() const noexcept { return kind_; }
  [[nodiscard]] bool is_null() const noexcept { return kind_ == Kind::kNull; }
  [[nodiscard]] bool is_text() const noexcept { return kind_ == Kind::kText; }
  [[nodiscard]] bool is_object() const noexcept { return kind_ == Kind::kObject; }
  [[nodiscard]] bool is_array() const noexcept { return kind_ == Kind::kArray; }

  [[nodiscard]] bool as_boolean() const noexcept { return number_ != 0.0; }
  [[nodiscard]] double as_real() const noexcept { return number_; }
  // Text, the digits of an integer, the name of a foreign type, or the detail of what is broken.
  [[nodiscard]] const std::string& as_text() const noexcept { return text_; }
  [[nodiscard]] const std::vector<Value>& items() const noexcept { return items_; }
  [[nodiscard]] const std::vector<Member>& members() const noexcept { return members_; }
  [[nodiscard]] Code problem() const noexcept { return problem_; }

  void append(Value value) { items_.push_back(std::move(value)); }
  void set(std::string key, Value value) { members_.emplace_back(std::move(key), std::move(value)); }
  [[nodiscard]] const Value* find(std::string_view key) const noexcept;

  // "a string", "a list", "an integer": for messages.
  [[nodiscard]] std::string describe() const;

 private:
  Kind kind_ = Kind::kNull;
  Code problem_{};
  double number_ = 0.0;
  std::string text_;
  std::vector<Value> items_;
  std::vector<Member> members_;
};

}  // namespace quantmap
