// The values of a parameter that says by itself how it is to be searched.
#pragma once

#include "quantmap/base/diagnostic.hpp"
#include "quantmap/base/value.hpp"

namespace quantmap {

// Of {"type": "choice", "values": [...]} and {"type": "integer", "low": 1, "high": 4} the values as a list, with the
// place where they stand added to `place`; anything else as it is. An endless range is an error.
[[nodiscard]] Value searched_values(const Value& given, const Path& path, std::string& place, Diagnostics& problems);

}  // namespace quantmap
