#include "quantmap/deployment/model_quantization.hpp"

#include <algorithm>

#include "quantmap/base/text.hpp"

namespace quantmap {

ModelQuantization read_model_quantization(const Value& value, Diagnostics& warnings) {
  const Value* method = &value;
  if (value.is_object()) method = value.find(catalog().method_key);
  if (method != nullptr && method->is_null() && !value.is_object()) return {};
  if (method == nullptr || !method->is_text()) {
    warnings.add(
        Code::kUnreadableModelQuantization, "model_quantization",
        {{"got", value.is_object() ? "an object without " + std::string(catalog().method_key) : value.describe()}});
    return {};
  }
  std::string name = lower(trim(method->as_text()));
  const auto& none = catalog().unquantized_names;
  if (std::find(none.begin(), none.end(), std::string_view(name)) != none.end()) return {false, {}, true};
  return {true, std::string(head(name, 60)), true};
}

}  // namespace quantmap
