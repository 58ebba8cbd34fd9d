// The quantization method of the unified form: the fallback chain, and what does not fit the method.
#pragma once

#include <string_view>
#include <vector>

#include "quantmap/base/diagnostic.hpp"
#include "quantmap/config/config.hpp"

namespace quantmap {

// The method as the engine can take it; `chain` are the names tried on the way.
struct MethodChoice {
  int option;
  std::vector<std::string_view> chain;
};
[[nodiscard]] MethodChoice choose_method(const Config& config, const RowSet& rows);

// The config as the rows see it: what does not fit the method is reported and, where the catalogue says so, dropped.
[[nodiscard]] Config drop_unfit(const Config& config, Diagnostics& warnings);

// "quantization.method": a field's key with its section.
[[nodiscard]] std::string dotted_key(const Field& field);

}  // namespace quantmap
