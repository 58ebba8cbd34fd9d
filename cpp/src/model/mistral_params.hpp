// Mistral's own description of a model, params.json, as the config.json that it stands for.
#pragma once

#include <optional>

#include "quantmap/base/value.hpp"

namespace quantmap {

// Nothing when it is no such description.
[[nodiscard]] std::optional<Value> config_of_params(const Value& params);

}  // namespace quantmap
