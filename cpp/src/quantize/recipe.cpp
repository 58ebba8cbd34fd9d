#include "quantmap/quantize/recipe.hpp"
#include "quantmap/catalog/codes.hpp"

#include <algorithm>

#include "quantmap/base/text.hpp"
#include "quantmap/base/version.hpp"

namespace quantmap {

namespace {

struct Name {
  std::string who;
  std::string_view release;
  std::string_view scheme;
};

Name split(std::string_view text) {
  Name out;
  const std::size_t colon = text.find(':');
  std::string_view who = text.substr(0, colon);
  out.scheme = colon == std::string_view::npos ? std::string_view{} : text.substr(colon + 1);
  const std::size_t at = who.find('@');
  if (at != std::string_view::npos) {
    out.release = who.substr(at + 1);
    who = who.substr(0, at);
  }
  out.who = lower(trim(who));
  std::replace(out.who.begin(), out.who.end(), '-', '_');
  return out;
}

const RecipeMaker* find_maker(std::string_view id) {
  for (const RecipeMaker& maker : catalog().recipes.makers) {
    if (maker.id == id) return &maker;
  }
  return nullptr;
}

std::vector<std::string_view> schemes_of(std::string_view who) {
  std::vector<std::string_view> out;
  for (const Recipe& row : catalog().recipes.rows) {
    if (row.who == who && std::find(out.begin(), out.end(), row.scheme) == out.end()) out.push_back(row.scheme);
  }
  return out;
}

void unknown(std::string_view what, std::string_view given, const std::vector<std::string_view>& known,
             const Path& path, Diagnostics& problems) {
  const std::string_view near = nearest(given, known);
  const std::string hint = near.empty() ? "quantmap.recipes() lists them" : "did you mean " + quote(near) + "?";
  problems.add(Code::kUnknownRecipe, path.str(),
               {{"field", std::string(what)}, {"value", quote(given)}, {"known", join(known)}, {"hint", hint}});
}

// Ends that are not written are open.
bool holds(std::string_view since, std::string_view until, const Version& release) {
  const std::optional<Version> first = Version::parse(since);
  const std::optional<Version> end = Version::parse(until);
  return (!first || release >= *first) && (!end || release < *end);
}

}  // namespace

std::string ChosenRecipe::name() const {
  return std::string(row->who) + "@" + release + ":" + std::string(row->scheme);
}

bool holds_in(const RecipeName& name, std::string_view release) {
  const std::optional<Version> asked = Version::parse(release);
  return asked ? holds(name.since, name.until, *asked) : name.until.empty();
}

std::string row_name(const Recipe& row) {
  return std::string(row.who) + "@" + std::string(row.since) + ":" + std::string(row.scheme);
}

std::optional<ChosenRecipe> find_recipe(std::string_view name, const Path& path, Diagnostics& problems) {
  const Name parts = split(name);
  const RecipeMaker* maker = find_maker(parts.who);
  if (maker == nullptr) {
    std::vector<std::string_view> known;
    for (const RecipeMaker& item : catalog().recipes.makers) known.push_back(item.id);
    unknown("maker of recipes", parts.who, known, path, problems);
    return std::nullopt;
  }
  std::vector<const Recipe*> rows;
  for (const Recipe& row : catalog().recipes.rows) {
    if (row.who == parts.who && row.scheme == parts.scheme) rows.push_back(&row);
  }
  if (rows.empty()) {
    unknown("scheme of " + parts.who, parts.scheme, schemes_of(parts.who), path, problems);
    return std::nullopt;
  }
  const bool newest = parts.release.empty() || parts.release == "latest";
  const std::optional<Version> release = Version::parse(newest ? maker->read : parts.release);
  if (!release) {
    problems.add(Code::kNotAVersion, path.str(),
                 {{"value", quote(parts.release)}, {"engine", parts.who}, {"known", std::string(maker->read)}});
    return std::nullopt;
  }
  for (const Recipe* row : rows) {
    if (!holds(row->since, row->until, *release)) continue;
    const std::optional<Version> last = Version::parse(maker->read);
    return ChosenRecipe{row, release->str(), row->assumed || (last && *release > *last)};
  }
  problems.add(Code::kRecipeNotRead, path.str(),
               {{"value", quote(parts.scheme)},
                {"engine", parts.who},
                {"version", release->str()},
                {"known", std::string(rows.front()->since)}});
  return std::nullopt;
}

}  // namespace quantmap
