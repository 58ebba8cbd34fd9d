// Text that others than a shell fill in: templates, format strings, batch files, readers of a page.
#pragma once

#include <cstddef>
#include <string_view>

namespace quantmap::shell {

// Where {{ ... }} of a template ends, on one line; 0 when none begins here.
[[nodiscard]] std::size_t end_of_template(std::string_view text, std::size_t at);
// <NAME>
[[nodiscard]] std::size_t end_of_placeholder(std::string_view text, std::size_t at);
// {name}, {a name}
[[nodiscard]] std::size_t end_of_field(std::string_view text, std::size_t at);
// <NAME>, __NAME__ and %NAME%
[[nodiscard]] std::size_t end_of_filled(std::string_view text, std::size_t at);

}  // namespace quantmap::shell
