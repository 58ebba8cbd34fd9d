// A place inside an argument whose value is JSON.
#pragma once

#include <string>
#include <string_view>

namespace quantmap {

// The text at a place of a JSON value: "/backend" of {"backend": "X"} is X; "" when nothing is there.
[[nodiscard]] std::string text_at(const std::string& json, std::string_view place);

}  // namespace quantmap
