// What the results of mapping and checking hold, where their fields are no members of the same name.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quantmap/check/check.hpp"
#include "quantmap/config/method.hpp"
#include "quantmap/mapping/map.hpp"
#include "quantmap/results/made.hpp"

namespace quantmap::results {

using Arguments = std::vector<std::pair<std::string_view, const ArgumentValue&>>;
using Texts = std::vector<std::pair<std::string_view, std::string_view>>;

// The release that decided; empty in documented mode.
[[nodiscard]] inline std::string_view version_of(const Engine& engine, const Deployment& deployment) {
  return deployment.checked ? engine.surface.releases[deployment.release].version : std::string_view();
}
[[nodiscard]] inline std::string_view mode_of(const Deployment& deployment) {
  return deployment.checked ? "checked" : "documented";
}
[[nodiscard]] inline std::string_view gpu_of(const Deployment& deployment) {
  return deployment.checked && deployment.gpu != 0 ? catalog().gpu_classes[deployment.gpu].id : std::string_view();
}
[[nodiscard]] inline std::string_view checkpoint_of(const Deployment& deployment) {
  return catalog().checkpoint_kinds[deployment.checkpoint].id;
}
// Flags, or variables and what else is no flag.
[[nodiscard]] inline Arguments arguments_of(const std::vector<Argument>& arguments, bool flags) {
  Arguments out;
  for (const Argument& argument : arguments) {
    if ((argument.kind == ChannelKind::kFlag) == flags) out.emplace_back(argument.flag, argument.value);
  }
  return out;
}
[[nodiscard]] inline Texts files_of(const std::vector<LaunchFile>& files) {
  Texts out;
  for (const LaunchFile& file : files) out.emplace_back(file.name, file.text);
  return out;
}
// What each part of the model will really be, and the attention backend as far as it is known.
[[nodiscard]] inline std::vector<std::pair<std::string_view, std::string>> precision_of(const Mapping& mapping) {
  std::vector<std::pair<std::string_view, std::string>> out;
  for (Real& part : real_precision(*mapping.engine, mapping.deployment, mapping.values)) {
    out.emplace_back(part.of, std::move(part.is));
  }
  return out;
}

template <>
struct Read<Diagnostic> {
  using Class = classes::Diagnostic;
  static std::string_view code(const Diagnostic& it) { return it.text().code; }
  static Severity severity(const Diagnostic& it) { return it.text().severity; }
  static std::string message(const Diagnostic& it) { return it.message(); }
  static std::string hint(const Diagnostic& it) { return it.hint(); }
  static Texts context(const Diagnostic& it) {
    Texts out;
    for (const auto& [key, value] : it.context) {
      if (!value.empty()) out.emplace_back(key, value);
    }
    return out;
  }
};

template <>
struct Read<NotLookedAt> {
  using Class = classes::Unseen;
};

template <>
struct Read<Decision> {
  using Class = classes::Decision;
  static std::string field(const Decision& it) { return dotted_key(field_info(it.field)); }
  static const std::string& asked(const Decision& it) { return it.value; }
  static bool given(const Decision& it) { return it.asked; }
  static auto emitted(const Decision& it) {
    std::vector<std::pair<std::string, const ArgumentValue&>> out;
    for (const Emitted& item : it.emitted) out.emplace_back(item.place(), item.value);
    return out;
  }
  static std::string_view code(const Decision& it) { return it.why.text().code; }
  static std::string sentence(const Decision& it) { return it.why.message(); }
};

template <>
struct Read<Mapping> {
  using Class = classes::Mapping;
  static std::string_view engine_name(const Mapping& it) { return it.engine->name; }
  static std::string_view mode(const Mapping& it) { return mode_of(it.deployment); }
  static std::string_view version(const Mapping& it) { return version_of(*it.engine, it.deployment); }
  static std::string_view verified_through(const Mapping& it) { return it.engine->checked.verified_through; }
  static std::string_view gpu(const Mapping& it) { return gpu_of(it.deployment); }
  static std::string_view checkpoint(const Mapping& it) { return checkpoint_of(it.deployment); }
  static auto precision(const Mapping& it) { return precision_of(it); }
  static const std::string& preset(const Mapping& it) { return it.config.preset; }
  static Value config(const Mapping& it) { return to_value(it.config); }
  static Arguments args(const Mapping& it) { return arguments_of(it.arguments, true); }
  static Arguments env(const Mapping& it) { return arguments_of(it.arguments, false); }
  static Texts files(const Mapping& it) { return files_of(it.files); }
};

template <>
struct Read<Verdict> {
  using Class = classes::Verdict;
  static const std::string& argument(const Verdict& it) { return it.flag; }
  static Judgement verdict(const Verdict& it) { return it.judgement; }
  static bool refused(const Verdict& it) { return is_refusal(it.judgement); }
};

template <>
struct Read<Checked> {
  using Class = classes::CheckResult;
  static std::string_view engine_name(const Checked& it) { return it.engine->name; }
  static std::string_view version(const Checked& it) {
    return it.engine->surface.releases[it.deployment.release].version;
  }
  static std::string_view verified_through(const Checked& it) { return it.engine->checked.verified_through; }
  static std::string_view checkpoint(const Checked& it) { return checkpoint_of(it.deployment); }
  static std::string_view _config_flag(const Checked& it) { return it.engine->config_flag; }
  static std::vector<std::string_view> _settings_flags(const Checked& it) {
    std::vector<std::string_view> out;
    for (const Target& target : it.engine->checked.targets) {
      for (const Channel& route : target.routes) {
        if (route.kind == ChannelKind::kFile) out.push_back(route.through);
      }
    }
    return out;
  }
  static const std::vector<NamedFile>& _files(const Checked& it) { return it.files; }
};

template <>
struct Read<WrittenFile> {
  using Class = classes::WrittenFile;
  static SharedText text(const WrittenFile& it) { return {it.text}; }
};

template <>
struct Read<NamedFile> {
  using Class = classes::WrittenFile;
  static SharedText text(const NamedFile& it) { return {it.file->text}; }
  static std::size_t line(const NamedFile& it) { return it.file->line; }
  static bool open(const NamedFile& it) { return it.file->open; }
};

template <>
struct Read<CheckedScript> {
  using Class = classes::ScriptResult;
  static auto _written(const CheckedScript& it) { return it.written; }
};

}  // namespace quantmap::results
