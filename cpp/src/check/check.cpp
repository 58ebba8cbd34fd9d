#include "quantmap/check/check.hpp"
#include "quantmap/config/checkpoint_kind.hpp"

#include <algorithm>

#include "line_model.hpp"
#include "quantmap/base/text.hpp"
#include "quantmap/base/version.hpp"
#include "quantmap/config/validate.hpp"
#include "quantmap/deployment/line_rules.hpp"
#include "quantmap/mapping/merge.hpp"

namespace quantmap {

namespace {

using Words = std::vector<std::string>;

// A command taken apart; arguments are not yet told from their values.
struct Parts {
  std::vector<Argument> variables;
  const Engine* engine = nullptr;
  const Launcher* launcher = nullptr;
  Words rest;                      // what follows the launcher
  std::optional<std::string> tag;  // of the engine's own image that the line runs; empty: it names none
};

bool is_assignment(std::string_view word) {
  const std::size_t mark = word.find('=');
  return mark != std::string_view::npos && mark > 0 && word.front() != '-' &&
         std::all_of(word.begin(), word.begin() + static_cast<std::ptrdiff_t>(mark), [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
         });
}

// "/usr/bin/vllm" runs the same as "vllm".
std::string_view program(std::string_view word) {
  const std::size_t slash = word.rfind('/');
  return slash == std::string_view::npos ? word : word.substr(slash + 1);
}

// The launcher whose words stand, one after another, at this place.
bool stands_at(const Launcher& launcher, const Words& words, std::size_t at) {
  if (at + launcher.words.size() > words.size()) return false;
  for (std::size_t i = 0; i < launcher.words.size(); ++i) {
    const std::string_view word = i == 0 ? program(words[at]) : std::string_view(words[at + i]);
    if (word != launcher.words[i]) return false;
  }
  return true;
}

Argument variable_of(std::string_view assignment) {
  const std::size_t mark = assignment.find('=');
  Argument variable;
  variable.kind = ChannelKind::kEnv;
  variable.flag = assignment.substr(0, mark);
  variable.value = std::string(assignment.substr(mark + 1));
  return variable;
}

std::string_view repository(std::string_view image) {
  const std::size_t slash = image.rfind('/');
  const std::size_t from = slash == std::string_view::npos ? 0 : slash;
  return image.substr(0, std::min(image.find('@', from), image.find(':', from)));
}

// The engine whose public image this word names.
const Engine* engine_of_image(std::string_view word) {
  for (const std::string_view registry : {"docker://", "docker.io/"}) {
    if (word.substr(0, registry.size()) == registry) word.remove_prefix(registry.size());
  }
  for (const Engine& engine : catalog().engines) {
    for (const ContainerImage& image : engine.container.images) {
      if (repository(image.name) == repository(word)) return &engine;
    }
  }
  return nullptr;
}

std::string tag_of(std::string_view image) {
  std::string_view tag = image.substr(repository(image).size());
  if (tag.empty() || tag.front() == '@') return {};
  tag.remove_prefix(1);
  return std::string(tag.substr(0, tag.find('@')));
}

// What a line that runs an engine's image says: its variables, and the words of the command inside.
struct ImageRun {
  const Engine* engine = nullptr;
  std::string tag;
  std::vector<Argument> variables;
  Words command;
  bool replaces_entrypoint = false;
};

std::optional<ImageRun> read_container(const Words& words) {
  const auto run = std::find_if(words.begin(), words.end(),
                                [](const std::string& word) { return word == "run" || word == "create"; });
  if (run == words.end() || run == words.begin()) return std::nullopt;  // a program stands in front
  ImageRun out;
  std::string entrypoint;
  for (auto word = run + 1; word != words.end(); ++word) {
    const auto option = [&](std::string_view name) -> std::optional<std::string> {
      if (*word == name && word + 1 != words.end()) return *++word;
      const std::string start = std::string(name) + "=";
      if (word->rfind(start, 0) == 0) return word->substr(start.size());
      return std::nullopt;
    };
    if (auto value = option("--entrypoint")) {
      entrypoint = std::move(*value);
      out.replaces_entrypoint = true;
      continue;
    }
    auto variable = option("-e");
    if (!variable) variable = option("--env");
    if (variable) {
      if (is_assignment(*variable)) out.variables.push_back(variable_of(*variable));
      continue;
    }
    out.engine = engine_of_image(*word);
    if (out.engine == nullptr) continue;
    out.tag = tag_of(*word);
    if (!entrypoint.empty()) out.command.push_back(entrypoint);
    out.command.insert(out.command.end(), word + 1, words.end());
    return out;
  }
  return std::nullopt;
}

Parts take_apart(const Words& words) {
  Parts parts;
  if (auto image = read_container(words)) {
    const bool starts_server = image->engine->container.starts_server && !image->replaces_entrypoint;
    if (starts_server) {
      parts.engine = image->engine;
      parts.launcher = &image->engine->launchers.back();  // the one that names its model by a flag, where there are two
      parts.rest = std::move(image->command);
    } else {
      parts = take_apart(image->command);
    }
    if (parts.engine == image->engine) parts.tag = std::move(image->tag);
    // Variables in front are the container program's own.
    parts.variables.insert(parts.variables.begin(), image->variables.begin(), image->variables.end());
    return parts;
  }
  std::size_t begin = 0;
  while (begin < words.size() && is_assignment(words[begin])) {
    parts.variables.push_back(variable_of(words[begin]));
    ++begin;
  }
  for (std::size_t at = begin; at < words.size() && parts.engine == nullptr; ++at) {
    for (const Engine& engine : catalog().engines) {
      for (const Launcher& launcher : engine.launchers) {
        if (parts.engine != nullptr || !stands_at(launcher, words, at)) continue;
        parts.engine = &engine;
        parts.launcher = &launcher;
        begin = at + launcher.words.size();
      }
    }
  }
  parts.rest.assign(words.begin() + static_cast<std::ptrdiff_t>(begin), words.end());
  return parts;
}

bool is_flag(std::string_view word) {
  if (word.size() < 2 || word.front() != '-') return false;
  return !(word[1] >= '0' && word[1] <= '9') && word[1] != '.';  // -1 and -.5 are values
}

// Tells arguments from their values by what the release knows of each flag.
class ArgumentReader {
 public:
  ArgumentReader(const Engine& engine, ReleaseNumber release) : engine_(engine), release_(release) {}

  void read(const Words& words, std::vector<Argument>& arguments, Words& positional) const {
    for (std::size_t i = 0; i < words.size();) {
      if (!is_flag(words[i])) {
        positional.push_back(words[i++]);
        continue;
      }
      Argument argument;
      const std::size_t end = end_of_flag(words[i]);
      argument.flag = words[i].substr(0, end);
      if (end < words[i].size()) {
        argument.value = words[i].substr(end + (words[i][end] == '=' ? 1 : 0));
        ++i;
      } else {
        ++i;
        argument.value = values_of(argument.flag, words, i);
      }
      arguments.push_back(std::move(argument));
    }
  }

 private:
  std::optional<KnownFlag> find(std::string_view flag) const {
    const std::string_view base = flag.substr(0, flag.find('.'));
    if (auto known = find_spelling(engine_.surface, base, release_)) return known;
    return find_rewritten(engine_, base, release_);
  }

  // Where the value in the same word begins: "--a=1", "-a=1", or glued to the one letter of a short flag, "-a1".
  std::size_t end_of_flag(const std::string& word) const {
    const std::size_t mark = std::min(word.find('='), word.size());
    if (word[1] == '-' || find(std::string_view(word).substr(0, mark))) return mark;
    const auto letter = find(std::string_view(word).substr(0, 2));
    return letter && letter->interval->arity != Arity::kNone ? 2 : mark;
  }

  // What is not known takes one value.
  ArgumentValue values_of(const std::string& flag, const Words& words, std::size_t& i) const {
    const std::optional<KnownFlag> known = find(flag);
    const Arity arity = known ? known->interval->arity : Arity::kOne;
    if (arity == Arity::kNone || i >= words.size() || is_flag(words[i])) return true;
    // A switch that may take a word takes only such a one.
    const bool is_switch = known && known->interval->type == FlagType::kBool;
    if (is_switch && lower(words[i]) != "true" && lower(words[i]) != "false") return true;
    std::string value = words[i++];
    const bool is_list = arity == Arity::kAny || arity == Arity::kMany;
    while (is_list && i < words.size() && !is_flag(words[i])) value += " " + words[i++];
    return value;
  }

  const Engine& engine_;
  ReleaseNumber release_;
};

std::optional<Words> words_of(const Value& command, const Path& path, Diagnostics& problems) {
  if (command.is_text()) return split_words(command.as_text(), path, problems);
  if (!command.is_array()) {
    report_wrong_type(command, "a command line, a list of words, or an object of arguments", path, problems);
    return std::nullopt;
  }
  Words words;
  for (std::size_t i = 0; i < command.items().size(); ++i) {
    const Value& item = command.items()[i];
    if (item.is_text()) {
      words.push_back(item.as_text());
    } else {
      report_wrong_type(item, "a word", Path(path, i), problems);
    }
  }
  return words;
}

// Earlier uses of a flag that is given again: the parser takes the last.
void note_repeats(std::vector<Verdict>& verdicts) {
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    const bool again = std::any_of(
        verdicts.begin() + static_cast<std::ptrdiff_t>(i) + 1, verdicts.end(),
        [&](const Verdict& later) { return !later.canonical.empty() && later.canonical == verdicts[i].canonical; });
    if (!again || is_refusal(verdicts[i].judgement)) continue;
    verdicts[i].judgement = Judgement::kNoEffect;
    verdicts[i].reason = "given again later: the last value is used";
  }
}

// Words that belong to no flag: an engine takes at most its model so.
void judge_strays(const Engine& engine, const Deployment& deployment, const Words& positional,
                  std::vector<Verdict>& verdicts) {
  const bool takes_model = std::any_of(engine.launchers.begin(), engine.launchers.end(),
                                       [](const Launcher& launcher) { return launcher.model_flag.empty(); });
  for (std::size_t i = takes_model ? 1 : 0; i < positional.size(); ++i) {
    Verdict stray;
    stray.flag = positional[i];
    stray.judgement = Judgement::kUnknownFlag;
    stray.reason = std::string(engine.name) + " " + std::string(engine.surface.releases[deployment.release].version) +
                   " takes no word here that belongs to no flag";
    stray.hint = "leave it out";
    stray.evidence = {std::string(engine.surface.releases[deployment.release].artifact) + " (server arguments)"};
    verdicts.push_back(std::move(stray));
  }
}

// The release that is named, by the call before the image and the image before the default; else the newest, and said.
std::optional<Deployment> read_release(LaunchRequest request, const Engine& engine, const std::string& suffix,
                                       const std::optional<std::string>& tag, Diagnostics& notes) {
  const Context newest{{"engine", std::string(engine.name)},
                       {"version", std::string(engine.surface.releases.back().version)},
                       {"value", quote(tag ? *tag : "")}};
  const bool by_call = !request.engine_version.is_null() || !suffix.empty();
  if (!by_call && tag && !tag->empty()) {
    const bool readable = lower(*tag) == "latest" || Version::parse(*tag);
    if (!readable) notes.add(Code::kImageTagNotRead, "command", newest);
    request.image_tag = Value::text(readable ? *tag : "latest");
  } else if (!by_call && !names_default(request.default_versions, engine)) {
    notes.add(Code::kNewestRelease, "engine_version", newest);
    request.image_tag = Value::text("latest");
  }
  return read_deployment(request, engine, suffix, notes);
}

// The model that the words name: by itself, or behind the launcher's flag.
std::string model_named(const Engine& engine, ReleaseNumber release, const Launcher* launcher,
                        const std::vector<Argument>& arguments, const Words& positional) {
  std::string out = positional.empty() ? std::string() : positional.front();
  if (launcher == nullptr || launcher->model_flag.empty()) return out;
  for (const Argument& argument : arguments) {
    if (argument.kind != ChannelKind::kFlag) continue;
    const auto known = find_spelling(engine.surface, argument.flag, release);
    if (known && known->history->name == launcher->model_flag) out = to_text(argument.value);
  }
  return out;
}

bool known_variable(const Engine& engine, std::string_view name) {
  return std::any_of(engine.surface.variables.begin(), engine.surface.variables.end(),
                     [name](const Variable& variable) { return variable.name == name; });
}

}  // namespace

std::optional<Checked> check_command(const CheckRequest& request, Diagnostics& problems) {
  Checked out;
  Parts parts;
  std::string suffix;
  const Path path("command");
  if (!request.engine.is_null()) {
    out.engine = read_runtime(request.engine, suffix, problems);
    if (out.engine == nullptr) return std::nullopt;
  }
  if (!request.command.is_object()) {
    const auto words = words_of(request.command, path, problems);
    if (!words || problems.has_errors()) return std::nullopt;
    parts = take_apart(*words);
    if (out.engine == nullptr) out.engine = parts.engine;
    if (out.engine == nullptr || (parts.engine != nullptr && parts.engine != out.engine)) {
      problems.add(parts.engine == nullptr ? Code::kUnknownLauncher : Code::kOtherLauncher, path.str(),
                   {{"engine", out.engine == nullptr ? "" : std::string(out.engine->name)},
                    {"value", parts.engine == nullptr ? "" : std::string(parts.engine->name)}});
      return std::nullopt;
    }
  } else if (out.engine == nullptr) {
    problems.add(Code::kUnknownLauncher, path.str());
    return std::nullopt;
  }
  LaunchRequest launch_request;
  launch_request.engine_version = request.engine_version;
  launch_request.gpu = request.gpu;
  launch_request.default_versions = request.default_versions;
  launch_request.default_gpu = request.default_gpu;
  const auto deployment = read_release(launch_request, *out.engine, suffix, parts.tag, out.notes);
  if (out.notes.has_errors()) problems.append(out.notes);
  if (!deployment || problems.has_errors()) return std::nullopt;
  out.deployment = *deployment;

  Line line;
  line.literal = !request.command.is_object();
  std::vector<Argument>& arguments = line.arguments;
  arguments = parts.variables;
  Words positional;
  if (request.command.is_object()) {
    merge(arguments, request.command, nullptr, path, problems);
    if (problems.has_errors()) return std::nullopt;
  } else {
    ArgumentReader(*out.engine, out.deployment.release).read(parts.rest, arguments, positional);
  }
  out.model = model_named(*out.engine, out.deployment.release, parts.launcher, arguments, positional);
  const LineModel model = read_line_model(request, out.model, out.notes, problems);
  if (problems.has_errors()) return std::nullopt;
  take_model(model.model, out.deployment);
  line.checkpoint_known = model.known;
  out.not_looked_at = not_looked_at(*out.engine, out.deployment, model.known);
  out.verdicts = judge_line(*out.engine, out.deployment, line, out.notes);
  if (parts.launcher != nullptr) judge_strays(*out.engine, out.deployment, positional, out.verdicts);
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    Verdict& verdict = out.verdicts[i];
    if (arguments[i].kind == ChannelKind::kEnv && !known_variable(*out.engine, verdict.flag)) {
      verdict.judgement = Judgement::kAccepted;
      verdict.reason = "not a variable of the engine's own";
      verdict.evidence.clear();
    }
  }
  note_repeats(out.verdicts);
  return out;
}

}  // namespace quantmap
