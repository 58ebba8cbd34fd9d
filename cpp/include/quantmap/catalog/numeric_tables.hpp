// What leads to a recipe: an engine's arguments, and its names of modules.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "quantmap/catalog/rows.hpp"

namespace quantmap {

// An argument, or a key of a rules file, with one of its values: what it makes of a part of a model.
struct RecipeName {
  std::string_view who;
  std::string_view since;  // the first release it is true of, or empty: all that are known
  std::string_view until;  // the first it is no longer true of, or empty
  std::string_view at;     // as mappings name it, such as --quantization-config#/linear
  Rows<std::string_view> values;
  std::string_view part;
  std::string_view scheme;      // or empty, when there is no recipe of it:
  std::string_view outside;     // what is computed there, in words
  std::string_view instead_of;  // the scheme that it replaces, or empty: it needs no other
  Rows<std::string_view> evidence;
};

// A module of a checkpoint; {} stands for a number.
struct ModuleName {
  std::string_view name;         // in the checkpoint
  Rows<std::string_view> paths;  // as the engine walks it; several when it is divided
  std::string_view kind;         // linear, experts, or kept as it is
};

struct ModelModules {
  std::string_view engine;
  std::string_view read;  // the release
  std::string_view source;
  Rows<std::string_view> architectures;
  Rows<ModuleName> modules;
};

[[nodiscard]] std::span<const RecipeName> recipe_names() noexcept;
[[nodiscard]] std::span<const ModelModules> model_modules() noexcept;

}  // namespace quantmap
