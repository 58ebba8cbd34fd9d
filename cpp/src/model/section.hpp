// What loaders ask of a section of quantization beyond its method and schemes.
#pragma once

#include <cstdint>

#include "quantmap/base/value.hpp"

namespace quantmap {

// Bit i: it is such as Catalog::section_facts[i] says.
[[nodiscard]] std::uint64_t read_section(const Value& section);

}  // namespace quantmap
