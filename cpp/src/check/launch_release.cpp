// Which release a launch runs: named by the call, by its image's tag, by the default; else the newest, and said.
#include <algorithm>

#include "judge_launch.hpp"
#include "quantmap/base/text.hpp"
#include "quantmap/base/version.hpp"
#include "quantmap/catalog/codes.hpp"

namespace quantmap {

namespace {

bool all_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::vector<std::string_view> parts_of(std::string_view tag) {
  std::vector<std::string_view> out;
  std::size_t begin = 0;
  while (begin <= tag.size()) {
    const std::size_t end = std::min(tag.find_first_of("-_", begin), tag.size());
    out.push_back(tag.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

// 20260605 in a tag as 2026-06-05, and the month of 25.09-py3, by which NVIDIA numbers its builds, as its first day.
std::string date_of(std::string_view tag) {
  const auto parts = parts_of(tag);
  for (const std::string_view part : parts) {
    if (part.size() != 8 || part.substr(0, 2) != "20" || !all_digits(part)) continue;
    return std::string(part.substr(0, 4)) + "-" + std::string(part.substr(4, 2)) + "-" + std::string(part.substr(6));
  }
  const std::string_view month = parts.front().substr(0, 5);
  const bool is_month = month.size() == 5 && month[0] == '2' && month[2] == '.' && all_digits(month.substr(0, 2)) &&
                        all_digits(month.substr(3)) && month.substr(3) >= "01" && month.substr(3) <= "12";
  const bool is_build = std::any_of(parts.begin(), parts.end(), [](auto part) { return part.substr(0, 2) == "py"; });
  if (!is_month || !is_build) return {};
  return "20" + std::string(month.substr(0, 2)) + "-" + std::string(month.substr(3)) + "-01";
}

bool is_release(const Engine& engine, std::string_view text) {
  const auto version = Version::parse(text);
  return version && std::any_of(engine.surface.releases.begin(), engine.surface.releases.end(),
                                [&](const Release& release) { return *Version::parse(release.version) == *version; });
}

// Whether an image holds the engine and counts releases of its own.
bool is_numbered_apart(const Engine& engine, std::string_view name) {
  for (const std::string_view word : engine.container.numbered_apart) {
    const std::size_t at = name.find(word);
    if (at != std::string_view::npos && (at == 0 || name[at - 1] == '/')) return true;
  }
  return false;
}

// Whether the tag of an image may tell the engine's release.
bool tells_release(const Engine& engine, const ImageName& image) {
  const std::string name = lower(image.name);
  return !is_numbered_apart(engine, name) && (image.engine == &engine || names_engine(engine, name) > 0);
}

// The release in a tag: all of it, its first part, what stands behind the engine's name, or any part of a public tag.
std::string version_in(const Engine& engine, const ImageName& image) {
  const std::string tag = lower(image.tag);
  if (image.own && Version::parse(tag) && date_of(tag).size() != tag.size() + 2) return tag;
  const bool told = tells_release(engine, image);
  if (told && is_release(engine, tag)) return tag;
  const auto parts = parts_of(tag);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const bool named = i > 0 && names_engine(engine, parts[i - 1]) > 0;
    const bool here = named || (told && (i == 0 || image.engine == &engine));
    if (here && parts[i].find('.') != std::string_view::npos && is_release(engine, parts[i])) {
      return std::string(parts[i]);
    }
  }
  return {};
}

// The release that a tag goes on from: v0.7.3.self.post1, v0.11.0rc1-a3.
std::string version_in_front(const Engine& engine, const ImageName& image) {
  const std::string tag = lower(image.tag);
  const std::size_t from = tag.substr(0, 1) == "v" ? 1 : 0;
  std::size_t end = std::min(tag.find_first_not_of("0123456789.", from), tag.size());
  while (tells_release(engine, image) && end != std::string::npos && end > from) {
    const std::string number = tag.substr(from, end - from);
    if (number.find('.') != std::string::npos && is_release(engine, number)) return number;
    end = tag.rfind('.', end - 1);
  }
  return {};
}

// The newest release of a day.
const Release* release_of(const Engine& engine, std::string_view date) {
  const Release* found = nullptr;
  for (const Release& release : engine.surface.releases) {
    if (!release.date.empty() && release.date <= date && (found == nullptr || release.date >= found->date)) {
      found = &release;
    }
  }
  return found;
}

// The release that an image's tag means; what it only stands in for goes into `asked`.
Value release_by_tag(const Engine& engine, const ImageName& image, std::string& asked, Diagnostics& notes) {
  const std::string version = version_in(engine, image);
  if (!version.empty()) return Value::text(version);
  Context context{{"engine", std::string(engine.name)}, {"value", quote(image.tag)}};
  const std::string date = date_of(image.tag);
  if (const Release* of_day = date.empty() ? nullptr : release_of(engine, date); of_day != nullptr) {
    asked = image.tag;
    context.emplace_back("version", std::string(of_day->version));
    context.emplace_back("known", date);
    notes.add(Code::kImageOfADay, "command", context);
    return Value::text(std::string(of_day->version));
  }
  if (std::string front = version_in_front(engine, image); !front.empty()) {
    asked = image.tag;
    context.emplace_back("version", front);
    notes.add(Code::kImageOfOthers, "command", context);
    return Value::text(std::move(front));
  }
  const bool newest_meant = lower(image.tag).rfind("latest", 0) == 0;
  if (!newest_meant) asked = image.tag;
  context.emplace_back("version", std::string(engine.surface.releases.back().version));
  notes.add(newest_meant ? Code::kNewestRelease : Code::kImageTagNotRead, newest_meant ? "engine_version" : "command",
            context);
  return Value::text("latest");
}

// Of somebody's own image: the release that its tag begins with, else the newest; it only stands in for what runs.
Value release_by_name(const Engine& engine, const ImageName& image, std::string& asked, Diagnostics& notes) {
  std::string version = version_in(engine, image);
  if (version.empty()) version = version_in_front(engine, image);
  if (version.empty()) version = engine.surface.releases.back().version;
  asked = image.name + (image.tag.empty() ? "" : ":" + image.tag);
  notes.add(Code::kImageByName, "command",
            {{"engine", std::string(engine.name)}, {"value", quote(asked)}, {"version", version}});
  return Value::text(std::move(version));
}

// The release that a launch itself tells: what its script has installed, or its image; null when neither says one.
Value release_by_launch(const Engine& engine, const FoundLaunch& launch, std::string& asked, Diagnostics& notes) {
  if (!launch.range.empty()) {
    asked = launch.range;
    notes.add(Code::kReleaseOfRange, "command",
              {{"engine", std::string(engine.name)}, {"value", quote(asked)}, {"version", launch.installed}});
  }
  if (!launch.installed.empty()) return Value::text(launch.installed);
  if (!launch.sources.empty()) {
    asked = launch.sources;
    notes.add(Code::kBuiltFromSources, "command",
              {{"engine", std::string(engine.name)},
               {"value", quote(asked)},
               {"version", std::string(engine.surface.releases.back().version)}});
    return Value::text("latest");
  }
  if (launch.image && launch.image->by_name) return release_by_name(engine, *launch.image, asked, notes);
  if (!launch.image || (launch.image->tag.empty() && !launch.image->by_words)) return {};
  const std::string name = lower(launch.image->name);
  const bool tells = launch.image->engine != nullptr || names_engine(engine, name) > 0 ||
                     is_numbered_apart(engine, name) || !version_in(engine, *launch.image).empty();
  if (tells && !launch.image->tag.empty()) return release_by_tag(engine, *launch.image, asked, notes);
  return launch.image->by_words ? release_by_name(engine, *launch.image, asked, notes) : Value();
}

// The version that was asked, when the notes say that another release stands in for it.
std::string stood_in_for(const Diagnostics& notes) {
  for (const Diagnostic& note : notes.all()) {
    if (note.code != Code::kVersionNewer && note.code != Code::kVersionBetween) continue;
    for (const auto& [key, value] : note.context) {
      if (key == "value") return value.substr(1, value.size() - 2);  // it is quoted
    }
  }
  return {};
}

}  // namespace

std::optional<ReleaseRead> read_release(const Engine& engine, const Ground& ground, const FoundLaunch* launch,
                                        bool with_gpu, Diagnostics& notes) {
  DeploymentRequest request = *ground.request;
  if (!with_gpu) request.default_gpu.clear();
  if (!with_gpu) request.gpu = {};
  ReleaseRead out;
  const bool by_call = !request.engine_version.is_null() || !ground.release.empty();
  if (!by_call && launch != nullptr) request.image_tag = release_by_launch(engine, *launch, out.asked, notes);
  if (!by_call && request.image_tag.is_null() && !names_default(request.default_versions, engine)) {
    notes.add(Code::kNewestRelease, "engine_version",
              {{"engine", std::string(engine.name)}, {"version", std::string(engine.surface.releases.back().version)}});
    request.image_tag = Value::text("latest");
  }
  const auto deployment = read_deployment(request, engine, ground.release, notes);
  if (!deployment) return std::nullopt;
  out.deployment = *deployment;
  if (out.asked.empty()) out.asked = stood_in_for(notes);
  return out;
}

}  // namespace quantmap
