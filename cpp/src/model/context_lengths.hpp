// The longest context that a config lets be, as engines read it.
#pragma once

#include "model/config_reader.hpp"
#include "quantmap/model/architecture.hpp"

namespace quantmap {

// Of the part of a config that describes the text model.
[[nodiscard]] ContextLengths read_context_lengths(const ConfigReader& config);

}  // namespace quantmap
