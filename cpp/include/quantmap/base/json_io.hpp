// JSON text to a Value: strict, with duplicate keys, depth and encoding checked.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "quantmap/base/diagnostic.hpp"
#include "quantmap/base/value.hpp"

namespace quantmap {

// The value, or nothing when `problems` got an error (invalid-json with line and column, duplicate-key, ...). More than
// `most` values and keys are an error before they take memory.
[[nodiscard]] std::optional<Value> read_json(std::string_view text, const Path& path, Diagnostics& problems,
                                             std::size_t most = kMaxNodes);

// Compact JSON (no spaces); what cannot be written (a foreign value) becomes null.
[[nodiscard]] std::string write_json(const Value& value);

}  // namespace quantmap
