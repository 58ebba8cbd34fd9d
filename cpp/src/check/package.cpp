// An engine's package with its release, as installers take it: vllm==0.8.5, sglang[all]==0.5.6, a wheel's address.
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

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

const Engine* engine_of_package(std::string_view text) {
  const std::string name = package_name(text);
  for (const Engine& engine : catalog().engines) {
    for (const std::string_view known : engine.runtime_names) {
      if (package_name(known) == name) return &engine;
    }
  }
  return nullptr;
}

// A name and a version apart; without a version when the word is no such thing. `mark` stands between them.
std::pair<std::string_view, std::string_view> name_and_version(std::string_view word, std::string_view mark) {
  const std::size_t at = word.find(mark);
  if (at != std::string_view::npos && word.find('/') > at) {
    const std::string_view version = word.substr(std::min(word.find_first_not_of('=', at), word.size()));
    return {word.substr(0, std::min(word.find('['), at)), version.substr(0, version.find_first_of(",; +"))};
  }
  if (!word.ends_with(".whl")) return {word, {}};
  const std::string_view file = word.substr(word.rfind('/') + 1);
  const std::size_t name = std::min(file.find('-'), file.size());
  const std::string_view rest = file.substr(std::min(name + 1, file.size()));
  return {file.substr(0, name), rest.substr(0, rest.find_first_of("-+%"))};
}

}  // namespace

std::optional<InstalledPackage> installed_package(std::string_view word, bool one_mark) {
  if (word.size() > 400) return std::nullopt;
  if (word.starts_with('-')) word.remove_prefix(std::min(word.find('=') + 1, word.size()));  // --from=vllm==0.8.5
  const auto [name, version] = name_and_version(word, one_mark ? "=" : "==");
  const Engine* engine = version.empty() ? nullptr : engine_of_package(trim(name));
  if (engine == nullptr || !Version::parse(version)) return std::nullopt;
  return InstalledPackage{engine, std::string(version)};
}

}  // namespace quantmap
