#include "quantmap/base/value.hpp"

namespace quantmap {

Value Value::boolean(bool value) {
  Value out;
  out.kind_ = Kind::kBoolean;
  out.number_ = value ? 1.0 : 0.0;
  return out;
}

Value Value::integer(std::string digits) {
  Value out;
  out.kind_ = Kind::kInteger;
  out.text_ = std::move(digits);
  return out;
}

Value Value::real(double value) {
  Value out;
  out.kind_ = Kind::kReal;
  out.number_ = value;
  return out;
}

Value Value::text(std::string value) {
  Value out;
  out.kind_ = Kind::kText;
  out.text_ = std::move(value);
  return out;
}

Value Value::array() {
  Value out;
  out.kind_ = Kind::kArray;
  return out;
}

Value Value::object() {
  Value out;
  out.kind_ = Kind::kObject;
  return out;
}

Value Value::foreign(std::string type_name) {
  Value out;
  out.kind_ = Kind::kForeign;
  out.text_ = std::move(type_name);
  return out;
}

Value Value::broken(Code code, std::string detail) {
  Value out;
  out.kind_ = Kind::kBroken;
  out.problem_ = code;
  out.text_ = std::move(detail);
  return out;
}

const Value* Value::find(std::string_view key) const noexcept {
  for (const Member& member : members_) {
    if (member.first == key) return &member.second;
  }
  return nullptr;
}

std::string Value::describe() const {
  switch (kind_) {
    case Kind::kNull: return "null";
    case Kind::kBoolean: return "a boolean";
    case Kind::kInteger: return "an integer";
    case Kind::kReal: return "a number";
    case Kind::kText: return "a string";
    case Kind::kArray: return "a list";
    case Kind::kObject: return "an object";
    case Kind::kForeign: return "a value of type " + text_;
    case Kind::kBroken: break;
  }
  return "an unreadable value";
}

}  // namespace quantmap
