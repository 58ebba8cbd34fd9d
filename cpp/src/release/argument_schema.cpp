#include "quantmap/release/argument_schema.hpp"
#include "quantmap/catalog/codes.hpp"

#include <algorithm>

#include "quantmap/base/text.hpp"
#include "quantmap/base/version.hpp"
#include "quantmap/release/flag_value.hpp"

namespace quantmap {

namespace {

Version known_version(std::string_view text) { return *Version::parse(text); }

bool named(const FlagHistory& history, const FlagInterval& interval, std::string_view name) {
  return history.name == name ||
         std::find(interval.aliases.begin(), interval.aliases.end(), name) != interval.aliases.end();
}

// The flags that bear a name in some release, in their order.
std::span<const FlagName> spelt(const ArgumentSchema& surface, std::string_view name) {
  const auto& all = surface.names;
  const auto first =
      std::partition_point(all.begin(), all.end(), [name](const FlagName& it) { return it.text < name; });
  const auto last = std::find_if(first, all.end(), [name](const FlagName& it) { return it.text != name; });
  return {first, last};
}

}  // namespace

std::optional<ReleaseNumber> find_release(const Engine& engine, std::string_view text, const Path& path,
                                          Diagnostics& problems) {
  const auto& releases = engine.surface.releases;
  const std::string_view wanted = trim(text);
  const auto same = std::find_if(releases.begin(), releases.end(),
                                 [wanted](const Release& release) { return release.version == wanted; });
  if (same != releases.end()) return static_cast<ReleaseNumber>(same - releases.begin());
  if (lower(wanted) == "latest") return releases.size() - 1;
  const std::optional<Version> version = Version::parse(wanted);
  const Context context{{"engine", std::string(engine.name)}, {"value", quote(wanted)}};
  const auto with = [&context](std::string_view key, std::string_view value) {
    Context out = context;
    out.emplace_back(key, std::string(value));
    return out;
  };
  if (!version) {
    problems.add(Code::kNotAVersion, path.str(), with("known", releases.back().version));
    return std::nullopt;
  }
  // The last release that is not newer than what is asked.
  const auto after = std::partition_point(releases.begin(), releases.end(), [&](const Release& release) {
    return known_version(release.version) <= *version;
  });
  if (after == releases.begin()) {
    problems.add(Code::kVersionTooOld, path.str(), with("known", releases.front().version));
    return std::nullopt;
  }
  const auto number = static_cast<ReleaseNumber>(after - releases.begin() - 1);
  if (known_version(releases[number].version) != *version) {
    const Code code = after == releases.end() ? Code::kVersionNewer : Code::kVersionBetween;
    problems.add(code, path.str(), with("version", releases[number].version));
  }
  return number;
}

const FlagInterval* interval_at(const FlagHistory& history, ReleaseNumber release) noexcept {
  for (const FlagInterval& interval : history.intervals) {
    if (covers(interval.since, interval.until, release)) return &interval;
  }
  return nullptr;
}

std::optional<KnownFlag> find_flag(const ArgumentSchema& surface, std::string_view name, ReleaseNumber release) {
  for (const FlagName& known : spelt(surface, name)) {
    const FlagHistory& history = surface.flags[known.flag];
    const FlagInterval* interval = interval_at(history, release);
    if (interval != nullptr && named(history, *interval, name)) return KnownFlag{&history, interval};
  }
  return std::nullopt;
}

const FlagHistory* find_history(const ArgumentSchema& surface, std::string_view name) {
  const auto found = spelt(surface, name);
  return found.empty() ? nullptr : &surface.flags[found.front().flag];
}

bool has_variable(const ArgumentSchema& surface, std::string_view name, ReleaseNumber release) {
  return std::any_of(surface.variables.begin(), surface.variables.end(), [&](const Variable& variable) {
    return variable.name == name && covers(variable.since, variable.until, release);
  });
}

bool accepts(const FlagInterval& flag, std::string_view value) {
  if (!flag.choices_known) return true;
  if (flag.type == FlagType::kList && value.find(' ') != std::string_view::npos) {
    const std::vector<std::string_view> words = words_of(value);
    return std::all_of(words.begin(), words.end(), [&flag](std::string_view word) { return accepts(flag, word); });
  }
  if (!flag.any_case) return std::find(flag.choices.begin(), flag.choices.end(), value) != flag.choices.end();
  const std::string wanted = lower(value);
  return std::any_of(flag.choices.begin(), flag.choices.end(),
                     [&wanted](std::string_view choice) { return lower(choice) == wanted; });
}

std::string history_words(const ArgumentSchema& surface, const FlagHistory& history, std::string_view name,
                          ReleaseNumber release) {
  const auto version_at = [&surface](std::size_t number) { return std::string(surface.releases[number].version); };
  std::size_t until = 0;  // where the stretch of the one before ends that had this spelling
  for (const FlagInterval& interval : history.intervals) {
    if (!named(history, interval, name)) continue;
    if (interval.until <= release) until = interval.until;
    if (interval.since > release && until == 0) return "added in " + version_at(interval.since);
  }
  return until == 0 ? std::string() : "removed in " + version_at(until);
}

std::string_view successor_of(const ArgumentSchema& surface, const FlagHistory& history, ReleaseNumber release) {
  const FlagHistory* at = &history;
  for (int steps = 0; at != nullptr && steps < 4; ++steps) {  // a successor may have one of its own by now
    std::string_view out;
    for (const FlagInterval& interval : at->intervals) {
      if (!interval.use.empty()) out = interval.use;
    }
    if (out.empty() || out.substr(0, 2) != "--") return out;  // else what to do instead of a flag
    const std::string_view flag = out.substr(0, out.find_first_of("=. "));
    if (find_flag(surface, flag, release)) return out;
    at = find_history(surface, flag);
  }
  return {};
}

std::string other_dashes(const ArgumentSchema& surface, std::string_view name, ReleaseNumber release) {
  if (name.size() < 3 || name.substr(0, 2) != "--") return {};
  for (const auto& [from, to] : {std::pair{'_', '-'}, std::pair{'-', '_'}}) {
    std::string other(name);
    std::replace(other.begin() + 2, other.end(), from, to);
    if (other != name && find_flag(surface, other, release)) return other;
  }
  return {};
}

std::optional<KnownFlag> find_spelling(const ArgumentSchema& surface, std::string_view name, ReleaseNumber release) {
  if (auto known = find_flag(surface, name, release)) return known;
  return find_flag(surface, other_dashes(surface, name, release), release);
}

std::optional<KnownFlag> find_rewritten(const Engine& engine, std::string_view name, ReleaseNumber release) {
  for (const Pair& rewrite : engine.rewrites) {
    if (rewrite.first == name) return find_flag(engine.surface, rewrite.second, release);
  }
  return std::nullopt;
}

std::string_view written_name(const KnownFlag& known, std::string_view spelling) {
  const auto same = [](char a, char b) { return a == b || (a == '_' && b == '-') || (a == '-' && b == '_'); };
  for (const std::string_view name : known.interval->negations) {
    if (std::equal(name.begin(), name.end(), spelling.begin(), spelling.end(), same)) return name;
  }
  return known.history->name;
}

}  // namespace quantmap
