// The parallel sizes of a task: what each engine calls them, and the presets.
#pragma once

#include <span>
#include <string_view>

#include "quantmap/catalog/rows.hpp"

namespace quantmap {

struct ParallelField {
  std::string_view key;
  std::string_view flag;
  int unset;       // the size for which the flag is left out; 0: none
  bool is_switch;  // the flag has no value
};

struct ParallelSize {
  std::string_view key;
  int size;  // of a switch: 1 sets it
};

struct ParallelPreset {
  std::string_view id;
  Rows<ParallelSize> sizes;
};

struct ParallelEngine {
  std::string_view engine;
  Rows<ParallelField> fields;
  Rows<ParallelPreset> presets;
};

[[nodiscard]] std::span<const ParallelEngine> parallel_engines() noexcept;

}  // namespace quantmap
