// What judged arguments set, by every spelling of it.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "quantmap/base/json_io.hpp"
#include "quantmap/base/text.hpp"
#include "quantmap/deployment/json_place.hpp"
#include "quantmap/deployment/verdict.hpp"

namespace quantmap {

std::string text_at(const std::string& json, std::string_view place) {
  if (!place.empty() && json.find('{') == std::string::npos) return {};  // most values are no objects
  Diagnostics unread;
  const auto whole = read_json(json, Path("$"), unread);
  const Value* here = whole ? &*whole : nullptr;
  while (here != nullptr && !place.empty()) {
    place.remove_prefix(1);
    const std::size_t end = std::min(place.find('/'), place.size());
    here = here->is_object() ? here->find(place.substr(0, end)) : nullptr;
    place.remove_prefix(end);
  }
  if (here == nullptr || here->is_null()) return {};
  return here->is_text() ? here->as_text() : write_json(*here);
}

namespace {

// What an argument says in this spelling, if anything.
std::optional<std::string> said_in(const Spelling& spelling, const Verdict& verdict) {
  const std::size_t size = spelling.flag.size();
  // Flags begin alike, so their last letters tell most of them apart.
  if (size == 0 || verdict.canonical.size() < size || verdict.canonical[size - 1] != spelling.flag.back())
    return std::nullopt;
  if (verdict.unset || !verdict.canonical.starts_with(spelling.flag)) return std::nullopt;
  std::string key(std::string_view(verdict.canonical).substr(spelling.flag.size()));
  std::replace(key.begin(), key.end(), '.', '/');
  if (key == spelling.at) return verdict.value;
  if (spelling.at.empty() && key.front() == '/') return "{" + key + "}";  // a part of its JSON, written behind a dot
  std::string inside = key.empty() ? text_at(verdict.value, spelling.at) : std::string();
  return inside.empty() ? std::nullopt : std::optional(std::move(inside));
}

// A choice as the release writes it, where case does not matter.
std::string as_written(const Engine& engine, const Deployment& deployment, std::string_view flag,
                       const std::string& value) {
  const auto known = find_flag(engine.surface, flag, deployment.release);
  if (!known || !known->interval->any_case) return value;
  for (const std::string_view choice : known->interval->choices) {
    if (lower(choice) == lower(value)) return std::string(choice);
  }
  return value;
}

// What a file that an argument names says of a target; what stands in the line itself counts more.
void take_from_file(const Channel& route, std::size_t target, const std::vector<Verdict>& verdicts, Given& out) {
  for (std::size_t i = 0; i < verdicts.size() && out.by[target] == kNotGiven; ++i) {
    const std::string& name = verdicts[i].canonical.empty() ? verdicts[i].flag : verdicts[i].canonical;
    if (verdicts[i].inside.empty() || name != route.through) continue;
    std::string said = text_at(verdicts[i].inside, route.at);
    if (said.empty()) continue;
    out.values[target] = std::move(said);
    out.by[target] = i;
  }
}

Given plain_values(const Engine& engine, const Deployment& deployment, const std::vector<Verdict>& verdicts) {
  const auto& targets = engine.checked.targets;
  Given out{TargetValues(targets.size()), std::vector<std::size_t>(targets.size(), kNotGiven)};
  for (std::size_t t = 0; t < targets.size(); ++t) {
    for (const Channel& route : targets[t].routes) {
      if (route.kind == ChannelKind::kFile) {
        take_from_file(route, t, verdicts, out);
        continue;
      }
      const Spelling here{static_cast<std::uint8_t>(t), route.name, route.at};
      for (std::size_t i = 0; i < verdicts.size(); ++i) {
        const auto said = said_in(here, verdicts[i]);
        if (!said) continue;
        out.values[t] = as_written(engine, deployment, route.name, *said);
        out.by[t] = i;
      }
    }
  }
  return out;
}

// Whether every target of a spelling has one of the release that is not used.
bool all_are_open(const Engine& engine, const Deployment& deployment, const std::vector<std::uint8_t>& said) {
  const auto& spellings = engine.checked.spellings;
  std::vector<std::ptrdiff_t> open(engine.checked.targets.size(), 0);
  for (const Spelling& spelling : spellings) {
    if (find_flag(engine.surface, spelling.flag, deployment.release)) ++open[spelling.target];
  }
  for (const std::uint8_t target : said) --open[target];
  return std::all_of(spellings.begin(), spellings.end(),
                     [&open](const Spelling& spelling) { return open[spelling.target] > 0; });
}

}  // namespace

bool looks_at_open(const Constraint& rule, const Given& given) noexcept {
  return given.open != 0 && std::any_of(rule.terms.begin(), rule.terms.end(),
                                        [&given](const RuleTerm& term) { return in_mask(given.open, term.target); });
}

std::vector<Given> given_values(const Engine& engine, const Deployment& deployment,
                                const std::vector<Verdict>& verdicts) {
  const Given plain = plain_values(engine, deployment, verdicts);
  std::vector<Given> out;
  std::vector<std::uint8_t> said;  // the targets of the parts
  for (const Spelling& spelling : engine.checked.spellings) {
    for (std::size_t i = 0; i < verdicts.size(); ++i) {
      std::optional<std::string> value = said_in(spelling, verdicts[i]);
      if (!value || !find_flag(engine.surface, spelling.flag, deployment.release)) continue;
      Given& part = out.emplace_back(plain);
      part.values[spelling.target] = std::move(*value);
      part.by[spelling.target] = i;
      said.push_back(spelling.target);
      part.apart = spelling.at.empty();  // a place in a JSON value may say what holds of the whole
    }
  }
  // Where every part is set apart, nothing is left of what is set for all.
  if (out.empty() || all_are_open(engine, deployment, said)) out.insert(out.begin(), plain);
  for (Given& given : out) {
    for (std::size_t target = 0; target < given.by.size(); ++target) {
      if (given.by[target] != kNotGiven && verdicts[given.by[target]].open) given.open |= std::uint64_t{1} << target;
    }
  }
  return out;
}

}  // namespace quantmap
