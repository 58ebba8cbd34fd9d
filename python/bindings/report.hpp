// Diagnostics on their way to Python: the exception, the logger, plain data.
#pragma once

#include "objects.hpp"

#include "quantmap/base/diagnostic.hpp"

namespace quantmap::bindings {

// A list of quantmap.errors.Diagnostic.
[[nodiscard]] py::list to_python(const Diagnostics& diagnostics);
[[nodiscard]] py::object to_python(const Diagnostic& diagnostic);

// Raises quantmap.ConfigError with all of them.
[[noreturn]] void raise_config_error(const Diagnostics& diagnostics);

// Whether the logger `quantmap` would take a warning; nothing is formatted when it would not.
[[nodiscard]] bool logs_warnings();
void log_warnings(const Diagnostics& diagnostics);

}  // namespace quantmap::bindings
