// Questions to an engine's surface: which release is meant, what it accepts.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "quantmap/base/diagnostic.hpp"
#include "quantmap/catalog/catalog.hpp"

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
[[nodiscard]] std::optional<KnownFlag> find_flag(const ArgumentSchema& surface, std::string_view name,
                                                 ReleaseNumber release);
// The flag's whole history by its canonical name or an alias in any release; null when it never existed.
[[nodiscard]] const FlagHistory* find_history(const ArgumentSchema& surface, std::string_view name);
[[nodiscard]] bool has_variable(const ArgumentSchema& surface, std::string_view name, ReleaseNumber release);

[[nodiscard]] bool accepts(const FlagInterval& flag, std::string_view value);

// "added in 0.17.0", "removed in 0.13.0", or "": of this spelling of the flag.
[[nodiscard]] std::string history_words(const ArgumentSchema& surface, const FlagHistory& history,
                                        std::string_view name, ReleaseNumber release);

// What takes the place of a flag, when its release or a later one says so and has it; empty otherwise.
[[nodiscard]] std::string_view successor_of(const ArgumentSchema& surface, const FlagHistory& history,
                                            ReleaseNumber release);

// The name with other dashes or underscores by which a release has the flag; empty when there is none.
[[nodiscard]] std::string other_dashes(const ArgumentSchema& surface, std::string_view name, ReleaseNumber release);

// The flag that a spelling means in a release, dashes and underscores being equal; nothing when there is none.
[[nodiscard]] std::optional<KnownFlag> find_spelling(const ArgumentSchema& surface, std::string_view name,
                                                     ReleaseNumber release);

// The flag that the parser takes a short one for that the release does not have itself.
[[nodiscard]] std::optional<KnownFlag> find_rewritten(const Engine& engine, std::string_view name,
                                                      ReleaseNumber release);

// How a spelling is written: the flag's own name; an alias that says the opposite of the flag keeps its own.
[[nodiscard]] std::string_view written_name(const KnownFlag& known, std::string_view spelling);

}  // namespace quantmap
