// Recipes by name: WHO[@RELEASE]:SCHEME.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quantmap/base/diagnostic.hpp"
#include "quantmap/catalog/catalog.hpp"
#include "quantmap/catalog/numeric_tables.hpp"

namespace quantmap {

struct ChosenRecipe {
  const Recipe* row = nullptr;
  std::string release;   // of the name; the newest one that was read where it has none
  bool assumed = false;  // the release is newer than what was read, or nobody has seen it do this

  [[nodiscard]] std::string name() const;
};

// Nothing when `problems` got an error.
[[nodiscard]] std::optional<ChosenRecipe> find_recipe(std::string_view name, const Path& path, Diagnostics& problems);

// Whether an argument stands for a recipe in a release; in the newest when none is named.
[[nodiscard]] bool holds_in(const RecipeName& name, std::string_view release);

// The first release that a row was read in, as it stands in names.
[[nodiscard]] std::string row_name(const Recipe& row);

}  // namespace quantmap
