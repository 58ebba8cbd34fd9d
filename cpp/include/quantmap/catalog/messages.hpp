// What an engine's releases say when they refuse to start.
#pragma once

#include <span>
#include <string_view>

namespace quantmap {

// The JSON of an engine's messages, in pieces; none when its sources were not read. Nothing in the core looks at them:
// they are for who reads logs.
[[nodiscard]] std::span<const std::string_view> messages_of(std::string_view engine) noexcept;

// The JSON of what the libraries beneath the engines say, in pieces.
[[nodiscard]] std::span<const std::string_view> library_messages() noexcept;

}  // namespace quantmap
