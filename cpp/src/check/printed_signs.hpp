// Signs that an editor or a page prints in place of those that a shell reads.
#pragma once

#include <string>
#include <string_view>

namespace quantmap {

// A flag whose hyphens an editor has made a dash (U+2013, U+2014), with hyphens; empty for any other word.
[[nodiscard]] std::string with_hyphens(std::string_view word);

// What is wrong with a word that holds curly quotes or a non-breaking space; empty when it holds none.
[[nodiscard]] std::string printed_sign_in(std::string_view word);

// The word with the signs that a shell reads.
[[nodiscard]] std::string with_plain_signs(std::string_view word);

}  // namespace quantmap
