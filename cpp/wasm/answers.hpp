// The page's door to the core: a question as JSON, the answer as JSON. Translation only, as in the Python bindings.
#pragma once

#include <string>
#include <string_view>

namespace quantmap::wasm {

// The question names what it asks ("ask": start, explain, check, fit, inspect) beside that function's arguments. The
// answer is {"answer": ...}, or {"errors": [...]} with the diagnostics.
[[nodiscard]] std::string answer(std::string_view question);

}  // namespace quantmap::wasm
