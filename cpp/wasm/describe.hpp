// Results of the core as JSON values, by the names that Python gives them.
#pragma once

#include "quantmap/base/diagnostic.hpp"
#include "quantmap/base/value.hpp"
#include "quantmap/check/check.hpp"
#include "quantmap/mapping/map.hpp"
#include "quantmap/memory/fit.hpp"
#include "quantmap/model/checkpoint.hpp"

namespace quantmap::wasm {

[[nodiscard]] Value text(std::string_view value);
[[nodiscard]] Value described(const Diagnostics& diagnostics);
[[nodiscard]] Value described(const Mapping& mapping, const std::string& model);
[[nodiscard]] Value described(const CheckedScript& script);
[[nodiscard]] Value described(const MemoryFit& fit);
[[nodiscard]] Value described(const Checkpoint& checkpoint);
// Engines with their releases, presets, fields and GPUs: what there is to choose.
[[nodiscard]] Value choices();

}  // namespace quantmap::wasm
