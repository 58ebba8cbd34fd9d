// One entry per layer, from the many ways in which configs describe them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/config_reader.hpp"
#include "quantmap/model/architecture.hpp"

namespace quantmap {

// `architectures`, as far as it is a list of words.
[[nodiscard]] std::vector<std::string> architecture_classes(const Value& config);

// Fills `model.layers` and `model.window`; the scalars of `model` are there already.
void read_layers(const ConfigReader& config, std::int64_t count, Architecture& model);

}  // namespace quantmap
