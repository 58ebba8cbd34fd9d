// Matrices and recipes on their way between Python and the core.
#pragma once

#include "objects.hpp"

#include <memory>
#include <string>
#include <vector>

#include "quantmap/quantize/process.hpp"
#include "quantmap/quantize/recipe.hpp"

namespace quantmap::bindings {

// Raises ConfigError when the name is no recipe.
[[nodiscard]] ChosenRecipe recipe_of(const std::string& name);
// "bf16", "f16", "f32", as the package spells the dtypes of what it reads.
[[nodiscard]] Stored stored_of(const std::string& name);
// A matrix in a buffer, or in a file as (descriptor, offset); rows and columns are the caller's word.
struct MatrixSource {
  MatrixSource(const py::object& values, const std::string& type, std::size_t rows, std::size_t columns);
  Matrix shape;
  ReadRows read;

 private:
  py::buffer_info info_;
};
// Raises ConfigError for what went wrong; `subject` names the matrix.
void raise_failure(const ProcessOut& out, const std::string& subject);
[[nodiscard]] py::dict to_python(const ErrorSums& sums);

}  // namespace quantmap::bindings
