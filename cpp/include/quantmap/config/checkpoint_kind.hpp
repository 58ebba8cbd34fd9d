// Which kind of checkpoint a method name means.
#pragma once

#include <cstddef>
#include <string_view>

namespace quantmap {

// Index of the checkpoint kind that a method name means; the last kind when the method is not known.
[[nodiscard]] std::size_t find_checkpoint_kind(std::string_view method);

}  // namespace quantmap
