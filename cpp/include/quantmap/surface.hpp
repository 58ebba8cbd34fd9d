// Questions to an engine's surface: which release is meant, what it accepts.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "quantmap/catalog.hpp"
#include "quantmap/diagnostic.hpp"

namespace quantmap {

using ReleaseNumber = std::size_t;

// The release that a version text means; nothing when `problems` got an error. Notes (newer, between) go there too.
[[nodiscard]] std::optional<ReleaseNumber> find_release(const Engine& engine, std::string_view version,
                                                        const Path& path, Diagnostics& problems);

[[nodiscard]] inline bool covers(std::uint16_t since, std::uint16_t until, ReleaseNumber release) noexcept {
  return since <= release && release < until;
}

// The stretch of a flag's history that the release lies in, or null.
[[nodiscard]] const FlagInterval* interval_at(const FlagHistory& history, ReleaseNumber release) noexcept;

// The flag as the release knows it, by any of its names; null when the release does not have it.
struct KnownFlag {
  const FlagHistory* history;
  const FlagInterval* interval;
};
[[nodiscard]] std::optional<KnownFlag> find_flag(const Surface& surface, std::string_view name, ReleaseNumber release);
// The flag's whole history by its canonical name or an alias in any release; null when it never existed.
[[nodiscard]] const FlagHistory* find_history(const Surface& surface, std::string_view name);
[[nodiscard]] bool has_variable(const Surface& surface, std::string_view name, ReleaseNumber release);

[[nodiscard]] bool accepts(const FlagInterval& flag, std::string_view value);

// "added in 0.17.0", "removed in 0.13.0", or "".
[[nodiscard]] std::string history_words(const Surface& surface, const FlagHistory& history, ReleaseNumber release);

// Index of the checkpoint kind that a method name means; the last kind when the method is not known.
[[nodiscard]] std::size_t find_checkpoint_kind(std::string_view method);

}  // namespace quantmap
