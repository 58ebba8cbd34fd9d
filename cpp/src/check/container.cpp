// Containers that a command starts: the image, what is set for it, and the command inside.
#include <utility>

#include "launch_forms.hpp"
#include "launch_words.hpp"
#include "quantmap/base/text.hpp"
#include "quantmap/catalog/codes.hpp"

namespace quantmap {

namespace {

// Options of docker run and its kin that take no value, besides single letters.
constexpr std::string_view kBareOptions[] = {"--rm",
                                             "--init",
                                             "--privileged",
                                             "--read-only",
                                             "--detach",
                                             "--interactive",
                                             "--tty",
                                             "--publish-all",
                                             "--sig-proxy",
                                             "--quiet",
                                             "--oom-kill-disable",
                                             "--no-healthcheck",
                                             "--disable-content-trust"};
constexpr std::string_view kBareLetters = "ditPq";

bool is_no_option(std::string_view word) { return !word.empty() && word[0] != '-'; }

// Whether an option of docker run is followed by its value.
bool takes_value(const std::string& word) {
  if (word.size() < 2 || word[0] != '-' || word.find('=') != std::string::npos) return false;
  if (word[1] == '-') return !is_one_of(word, kBareOptions);
  return !std::all_of(word.begin() + 1, word.end(),
                      [](char c) { return kBareLetters.find(c) != std::string_view::npos; });
}

}  // namespace

// A container that a command starts: what stands in front of its image, and behind it.
struct LaunchFinder::Container {
  std::vector<EnvironmentVariable> variables;
  std::string entrypoint;
  bool replaces_entrypoint = false;
  std::size_t image = 0;  // place of the image; 0: none was found
};

// Reads an option of docker run at this place; false when the word is none that is looked at.
bool LaunchFinder::container_option(const Command& command, std::size_t& at, Container& out) {
  const auto& words = command.words;
  const auto value_of = [&](std::string_view name) -> std::optional<Word> {
    if (words[at].text == name && at + 1 < words.size()) return words[++at];
    const std::string start = std::string(name) + "=";
    if (words[at].text.rfind(start, 0) != 0) return std::nullopt;
    Word rest = words[at];
    rest.text.erase(0, start.size());
    return rest;
  };
  if (const auto value = value_of("--entrypoint")) {
    out.entrypoint = value->text;
    out.replaces_entrypoint = true;
    return true;
  }
  auto variable = value_of("-e");
  if (!variable) variable = value_of("--env");
  if (!variable) return false;
  if (!assigned_name(variable->text).empty()) {
    out.variables.push_back(variable_of(*variable));
  } else if (variable->text.find('=') == std::string::npos) {
    out.variables.push_back({variable->text, value_in_shell(command, variable->text)});
  }
  return true;
}

// kubectl run NAME --image=IMAGE [--command] -- WORDS, as the docker run that does the same; nothing when it has no
// image.
std::optional<Command> LaunchFinder::pod_command(const Command& command, std::size_t run) {
  const auto& words = command.words;
  std::optional<Word> image;
  bool replaces = words[run].text == "create";  // of a deployment or job, whose words are the whole command
  Command out = command;
  out.words.erase(out.words.begin() + static_cast<std::ptrdiff_t>(run), out.words.end());
  out.words.back().text = "docker";
  out.words.emplace_back(words[run]);
  std::size_t at = run + 1;
  for (; at < words.size() && words[at].text != "--"; ++at) {
    const std::string_view text = words[at].text;
    replaces = replaces || text == "--command" || text == "--command=true";
    if (text.substr(0, 8) == "--image=") {
      image = words[at];
      image->text.erase(0, 8);
    } else if (text == "--image" && at + 1 < words.size()) {
      image = words[++at];
    } else if (text.substr(0, 5) == "--env") {
      out.words.push_back(words[at]);
      if (text == "--env" && at + 1 < words.size()) out.words.push_back(words[++at]);
    }
  }
  if (!image) return std::nullopt;
  at = std::min(at + 1, words.size());
  if (replaces && at < words.size()) {
    out.words.emplace_back(words[at]).text = "--entrypoint=" + words[at].text;
    ++at;
  }
  out.words.push_back(*image);
  out.words.insert(out.words.end(), words.begin() + static_cast<std::ptrdiff_t>(at), words.end());
  return out;
}

// docker run OPTIONS IMAGE COMMAND, and what works alike.
bool LaunchFinder::container(const Command& command, std::size_t depth) {
  if (const auto hosted = hosted_container(command)) return container(*hosted, depth);
  const auto& words = command.words;
  std::size_t at = 0;
  while (at < words.size() && words[at].text != "run" && words[at].text != "create") ++at;
  if (at == 0 || at >= words.size()) return false;
  const std::string_view by = program(words[at - 1].text);
  if (by == "kubectl" || by == "oc") {
    const auto pod = pod_command(command, at);
    return pod && container(*pod, depth);
  }
  const Container found = read_options(command, at + 1, is_one_of(by, kElsewhere));
  if (found.image == 0) return false;
  container_command(command, found, depth);
  return true;
}

// The options in front of an image, and its place.
LaunchFinder::Container LaunchFinder::read_options(const Command& command, std::size_t begin, bool known_program) {
  Container found;
  // What a template fills in may be options: where an image is known, that is it.
  const bool known =
      std::any_of(command.words.begin(), command.words.end(), [](const Word& word) { return word.open; }) &&
      std::any_of(command.words.begin() + static_cast<std::ptrdiff_t>(begin), command.words.end(),
                  [](const Word& word) { return read_image(word.text).engine != nullptr; });
  for (std::size_t i = begin; i < command.words.size() && found.image == 0; ++i) {
    if (container_option(command, i, found)) continue;
    const std::string& word = command.words[i].text;
    const bool named = known_program && is_no_option(word) && !(known && command.words[i].open);
    if (named || read_image(word).engine != nullptr) found.image = i;
    if (known_program && takes_value(word)) ++i;
  }
  return found;
}

// The command inside: what replaces the entrypoint, and the words behind the image.
Command LaunchFinder::inside_of(const Command& command, const Container& container) {
  Command inside;
  inside.line = command.line;
  inside.files = command.files;
  if (!container.entrypoint.empty()) inside.words.emplace_back().text = container.entrypoint;
  inside.words.insert(inside.words.end(), command.words.begin() + static_cast<std::ptrdiff_t>(container.image) + 1,
                      command.words.end());
  for (const EnvironmentVariable& variable : container.variables) {
    inside.assignments.emplace_back(variable.name, variable.value);
  }
  return inside;
}

// The image, with a mark where only what is started in place of its own command tells what it holds.
static ImageName marked(ImageName image, bool replaces_entrypoint) {
  image.by_words = replaces_entrypoint && image.engine == nullptr && !image.name.empty();
  return image;
}

void LaunchFinder::container_command(const Command& command, const Container& container, std::size_t depth) {
  const ImageName image = read_image(command.words[container.image].text);
  const Command inside = inside_of(command, container);
  const std::size_t before = launches_.size();
  const auto outside = std::exchange(installed_, {});  // what is installed here is not there
  FoundLaunch found;
  found.variables = container.variables;
  found.words = inside.words;
  found.line = command.line;
  if (image.own && image.engine->container.starts_server && !container.replaces_entrypoint) {
    const auto [engine, launcher] = launcher_at(inside.words, 0);
    found.engine = image.engine;
    found.by_entrypoint = true;
    found.launcher = &image.engine->launchers.front();
    if (engine == image.engine) {
      found.launcher = launcher;
      found.repeats_entrypoint = launcher->words.size();
      found.words.erase(found.words.begin(),
                        found.words.begin() + static_cast<std::ptrdiff_t>(found.repeats_entrypoint));
    }
    keep(std::move(found), command);
  } else if (!launch(inside, 0, marked(image, container.replaces_entrypoint))) {
    nested(inside, depth);
    if (launches_.size() == before) start_unknown(container, image, std::move(found), command);
  }
  installed_ = outside;
  if (launches_.size() == before && image.engine == nullptr) other_image_ = image.name;
  const OtherMaker* by_mark = maker_by_mark(command.words, container.image, container.variables);
  for (std::size_t i = before; i < launches_.size(); ++i) {
    if (!launches_[i].image) launches_[i].image = image;
    if (launches_[i].maker == nullptr) launches_[i].maker = by_mark != nullptr ? by_mark : image.maker;
  }
}

// A container in which nothing is known to start an engine: the caller may name it, or the image's name.
void LaunchFinder::start_unknown(const Container& container, const ImageName& image, FoundLaunch found,
                                 const Command& command) {
  note_other(found.words);
  if (named_) return keep(std::move(found), command);
  start_by_name(container, image, std::move(found), command);
}

// Somebody's own image that is called after an engine, and is given that engine's arguments: they reach its server.
void LaunchFinder::start_by_name(const Container& container, ImageName image, FoundLaunch found,
                                 const Command& command) {
  if (image.engine != nullptr || left_out_ > 0) return;
  const std::string name = lower(std::string(program(image.name)));
  std::size_t most = 0;
  for (const Engine& engine : catalog().engines) {
    const std::size_t named = names_engine(engine, name);
    if (named > most) image.engine = &engine;
    most = std::max(most, named);
  }
  if (image.engine == nullptr) return;
  const Engine& engine = *image.engine;
  const auto is_own = [&engine](const Word& word) {
    const std::string_view flag = std::string_view(word.text).substr(0, word.text.find('='));
    const auto& names = engine.surface.names;
    const auto at = std::lower_bound(names.begin(), names.end(), flag,
                                     [](const FlagName& known, std::string_view text) { return known.text < text; });
    return flag.starts_with("--") && at != names.end() && at->text == flag;
  };
  const bool starts = engine.container.starts_server && !container.replaces_entrypoint &&
                      std::any_of(found.words.begin(), found.words.end(), is_own);
  if (!starts) {
    if (++images_told_ > kMaxImagesTold) return;
    problems_.add(Code::kImageNotJudged, "command at line " + std::to_string(command.line),
                  {{"engine", std::string(engine.name)}, {"value", quote(image.name)}});
    return;
  }
  image.by_name = true;
  found.engine = &engine;
  found.by_entrypoint = true;
  found.launcher = &engine.launchers.front();
  found.image = std::move(image);
  keep(std::move(found), command);
}

}  // namespace quantmap
