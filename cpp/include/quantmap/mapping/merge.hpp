// User parameters over derived arguments.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "quantmap/mapping/map.hpp"

namespace quantmap {

// Longest text of one argument: Linux refuses more than 128 KiB including the final NUL (MAX_ARG_STRLEN in
// include/uapi/linux/binfmts.h of the kernel).
inline constexpr std::size_t kMaxArgument = 131071;

// "--name" for a parameter given without dashes, else the key as it is.
[[nodiscard]] std::string flag_spelling(std::string_view key);
// What a flag is, however spelt: dashes for underscores, and the canonical flag for an engine's alias. With a
// deployment in checked mode, the release's own name for it.
[[nodiscard]] std::string flag_identity(std::string_view flag, const Engine* engine,
                                        const Deployment* deployment = nullptr);
// Whether a key can name an argument at all.
[[nodiscard]] bool is_parameter_name(std::string_view key) noexcept;

// Reports everything that JSON text cannot hold, anywhere below; whether there was any.
bool report_unwritable(const Value& value, const Path& path, Diagnostics& problems);

// The value of a user parameter as an argument; nothing when it is left out or, with an error reported, wrong.
[[nodiscard]] std::optional<ArgumentValue> parameter_value(const Value& value, const Path& path, Diagnostics& problems);

// Puts the parameters (an object or null) over the arguments: a derived argument is replaced in place, a new one is
// appended. `engine` may be null: then only dashes and underscores are equal. In checked mode an equivalent spelling
// is renamed to the release's flag.
void merge(std::vector<Argument>& arguments, const Value& parameters, const Engine* engine, const Path& path,
           Diagnostics& problems, const Deployment* deployment = nullptr);

}  // namespace quantmap
