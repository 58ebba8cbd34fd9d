// An engine's package with its release, as installers take it: vllm==0.8.5, sglang[all]==0.5.6, a wheel's address.
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "find_launch.hpp"
#include "quantmap/base/text.hpp"
#include "quantmap/base/version.hpp"

namespace quantmap {

namespace {

// Names of packages are equal whatever stands between their words.
std::string package_name(std::string_view text) {
  std::string out = lower(text);
  std::replace_if(out.begin(), out.end(), [](char c) { return c == '_' || c == '.'; }, '-');
  return out;
}

// A name and a version apart; without a version when the word is no such thing. `mark` stands between them.
std::pair<std::string_view, std::string_view> name_and_version(std::string_view word, std::string_view mark) {
  const std::size_t at = word.find(mark);
  if (at != std::string_view::npos && word.find('/') > at) {
    const std::string_view version = word.substr(std::min(word.find_first_not_of("=@", at), word.size()));
    return {word.substr(0, std::min(word.find('['), at)), version.substr(0, version.find_first_of(",; +"))};
  }
  if (!word.ends_with(".whl")) return {word, {}};
  const std::string_view file = word.substr(word.rfind('/') + 1);
  const std::size_t name = std::min(file.find('-'), file.size());
  const std::string_view rest = file.substr(std::min(name + 1, file.size()));
  return {file.substr(0, name), rest.substr(0, rest.find_first_of("-+%"))};
}

// The releases of an engine as versions, read once: scripts may name releases very often.
const std::vector<Version>& versions_of(const Engine& engine) {
  static const std::vector<std::vector<Version>> all = [] {
    std::vector<std::vector<Version>> out;
    for (const Engine& each : catalog().engines) {
      std::vector<Version>& versions = out.emplace_back();
      for (const Release& release : each.surface.releases) versions.push_back(*Version::parse(release.version));
    }
    return out;
  }();
  return all[static_cast<std::size_t>(&engine - catalog().engines.data())];
}

// Whether a release fulfils one clause of a range: >=0.8.5, <0.9, ~=0.8.4, ==0.8.*, !=0.8.3. Nothing when it is none.
std::optional<bool> fulfils(const Version& release, std::string_view written, std::string_view clause) {
  const std::size_t end = clause.find_first_not_of("<>=~!");
  if (end == 0 || end == std::string_view::npos) return std::nullopt;
  const std::string_view sign = clause.substr(0, end);
  std::string_view text = trim(clause.substr(end));
  if (sign == "==" && text.ends_with(".*"))
    return written.substr(0, text.size() - 1) == text.substr(0, text.size() - 1);
  const auto bound = Version::parse(text);
  if (!bound) return std::nullopt;
  if (sign == "~=") {  // ~=0.8.4 is >=0.8.4 and ==0.8.*
    const std::string_view series = text.substr(0, text.rfind('.') + 1);
    return release >= *bound && written.substr(0, series.size()) == series;
  }
  if (sign == "<") return release < *bound;
  if (sign == "<=") return release <= *bound;
  if (sign == ">") return release > *bound;
  if (sign == ">=") return release >= *bound;
  return sign == "!=" ? std::optional(release != *bound) : std::nullopt;
}

// The newest release in a range; empty when none is in it, when it cannot be read, or when it has no end.
std::string newest_in(const Engine& engine, std::string_view range) {
  const bool ends = range.find('<') != std::string_view::npos || range.find('~') != std::string_view::npos ||
                    range.find(".*") != std::string_view::npos;
  if (!ends) return {};
  std::string_view found;
  const std::vector<Version>& versions = versions_of(engine);
  for (std::size_t i = 0; i < versions.size(); ++i) {
    const std::string_view written = engine.surface.releases[i].version;
    bool in = written.find("rc") == std::string_view::npos;
    for (std::size_t at = 0; in && at <= range.size();) {
      const std::size_t end = std::min(range.find(',', at), range.size());
      const auto told = fulfils(versions[i], written, trim(range.substr(at, end - at)));
      if (!told) return {};
      in = *told;
      at = end + 1;
    }
    if (in) found = written;
  }
  return std::string(found);
}

// vllm>=0.8.5,<0.9 as the newest release in it.
std::optional<InstalledPackage> package_in_range(std::string_view word) {
  const std::size_t sign = word.find_first_of("<>~!=");
  if (sign == std::string_view::npos || word.find('/') < sign) return std::nullopt;
  const Engine* engine = engine_of_package(trim(word.substr(0, std::min(word.find('['), sign))));
  if (engine == nullptr) return std::nullopt;
  const std::string_view range = trim(word.substr(sign, word.find(';') - sign));
  std::string version = newest_in(*engine, range);
  if (version.empty()) return std::nullopt;
  return InstalledPackage{engine, std::move(version), std::string(trim(word.substr(0, word.find(';'))))};
}

}  // namespace

const Engine* engine_of_package(std::string_view text) {
  const std::string name = package_name(text);
  for (const Engine& engine : catalog().engines) {
    for (const std::string_view known : engine.runtime_names) {
      if (package_name(known) == name) return &engine;
    }
  }
  return nullptr;
}

std::string release_of_tag(const Engine& engine, std::string_view tag) {
  if (tag.starts_with("tags/")) tag.remove_prefix(5);
  const auto version = tag.find('.') == std::string_view::npos ? std::nullopt : Version::parse(tag);
  const std::vector<Version>& versions = versions_of(engine);
  const auto found = version ? std::find(versions.begin(), versions.end(), *version) : versions.end();
  if (found == versions.end()) return {};
  return std::string(engine.surface.releases[static_cast<std::size_t>(found - versions.begin())].version);
}

std::optional<InstalledPackage> installed_package(std::string_view word, bool one_mark, bool ranges) {
  if (word.size() > 400) return std::nullopt;
  if (word.starts_with('-')) word.remove_prefix(std::min(word.find('=') + 1, word.size()));  // --from=vllm==0.8.5
  for (const std::string_view mark : {std::string_view(one_mark ? "=" : "=="), std::string_view("@")}) {
    const auto [name, version] = name_and_version(word, mark);
    const Engine* engine = version.empty() ? nullptr : engine_of_package(trim(name));
    if (engine != nullptr && Version::parse(version)) return InstalledPackage{engine, std::string(version), {}};
  }
  return ranges ? package_in_range(word) : std::nullopt;
}

std::size_t names_engine(const Engine& engine, std::string_view name) {
  const auto is_end = [&](std::size_t at) {
    return at >= name.size() || std::string_view("/-_.").find(name[at]) != std::string_view::npos;
  };
  const std::string plain = package_name(name);
  std::size_t most = 0;
  for (const std::string_view runtime : engine.runtime_names) {
    const std::string known = package_name(runtime);
    for (std::size_t at = plain.find(known); at != std::string::npos; at = plain.find(known, at + 1)) {
      if ((at == 0 || is_end(at - 1)) && is_end(at + known.size())) most = std::max(most, known.size());
    }
  }
  return most;
}

// The engine that a name says most of, and how much that is.
static std::pair<const Engine*, std::size_t> engine_named(std::string_view name) {
  std::pair<const Engine*, std::size_t> out{nullptr, 0};
  for (const Engine& engine : catalog().engines) {
    const std::size_t named = names_engine(engine, name);
    if (named > out.second) out = {&engine, named};
  }
  return out;
}

// A wheel of a fork: its package is called after the engine, and is none of its plugins.
static std::optional<EngineSources> forked_wheel(std::string_view word) {
  const std::string_view file = word.substr(word.rfind('/') + 1);
  const std::string name = package_name(file.substr(0, file.find_first_of("-*")));
  const auto [engine, named] = engine_named(name);
  if (engine == nullptr || named == name.size()) return std::nullopt;
  const auto is_plugin = [&name](const Plugin& plugin) { return package_name(plugin.package) == name; };
  if (std::any_of(engine->plugins.begin(), engine->plugins.end(), is_plugin)) return std::nullopt;
  return EngineSources{engine, name, false, {}};
}

std::optional<EngineSources> engine_sources(std::string_view word, bool cloned) {
  constexpr std::string_view kHost = "github.com";
  if (word.ends_with(".whl")) return forked_wheel(word);
  const std::size_t host = word.find(kHost);
  if (host == std::string_view::npos || word.size() > 400 || !(cloned || word.find("git+") < host)) return std::nullopt;
  std::string_view rest = word.substr(std::min(host + kHost.size() + 1, word.size()));
  rest = rest.substr(0, rest.find_first_of("#?& \t\n"));
  const std::size_t slash = rest.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view owner = rest.substr(0, slash);
  const std::size_t at = std::min(rest.find('@'), rest.size());
  std::string_view repository = rest.substr(slash + 1, at - slash - 1);
  repository = repository.substr(0, repository.find('/'));
  if (repository.ends_with(".git")) repository.remove_suffix(4);
  const auto [engine, most] = engine_named(repository);
  if (engine == nullptr) return std::nullopt;
  const auto& owners = engine->owners;
  const bool upstream = std::find(owners.begin(), owners.end(), lower(owner)) != owners.end();
  // Another repository of the engine's owners is something else.
  if (upstream && most != repository.size()) return std::nullopt;
  EngineSources out{
      engine, std::string(owner) + "/" + std::string(repository) + std::string(rest.substr(at)), upstream, {}};
  if (upstream && at < rest.size()) out.release = release_of_tag(*engine, rest.substr(at + 1));
  return out;
}

}  // namespace quantmap
