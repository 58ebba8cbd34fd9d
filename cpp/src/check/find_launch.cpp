#include "find_launch.hpp"

#include <algorithm>
#include <map>

namespace quantmap {

namespace {

// Programs that print, look for or install what their words name.
constexpr std::string_view kStartNothing[] = {
    "echo",   "printf",  "cat",   "grep",  "egrep", "fgrep",   "rg",          "sed",   "awk",  "pkill",
    "pgrep",  "killall", "kill",  "which", "type",  "whereis", "man",         "pip",   "pip3", "conda-install",
    "apt",    "apt-get", "git",   "curl",  "wget",  "ls",      "cp",          "mv",    "rm",   "mkdir",
    "touch",  "chmod",   "chown", "cd",    "test",  "[",       "[[",          "alias", "jq",   "tee",
    "logger", "ps",      "find",  "tail",  "head",  "wc",      "docker-build"};
// Programs in front of the one that counts.
constexpr std::string_view kInFront[] = {"sudo", "nohup", "exec", "command", "env", "time", "doas", "nice", "builtin"};
constexpr std::string_view kShells[] = {"sh", "bash", "zsh", "dash", "ksh", "source", ".", "sbatch"};
// Programs that start another machine or container: what is exported here is not there.
constexpr std::string_view kElsewhere[] = {"ssh", "docker", "podman", "nerdctl", "kubectl", "oc", "lxc"};
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

template <typename Words>
bool is_one_of(std::string_view word, const Words& words) {
  return std::find(std::begin(words), std::end(words), word) != std::end(words);
}

// "/usr/bin/vllm" runs the same as "vllm".
std::string_view program(std::string_view word) {
  const std::size_t slash = word.rfind('/');
  return slash == std::string_view::npos ? word : word.substr(slash + 1);
}

bool is_no_option(std::string_view word) { return !word.empty() && word[0] != '-'; }

// The script that a word holds, by itself or as the value of an option; empty when it is one plain word.
std::string script_of(const std::string& word) {
  if (word.find_first_of(" \t\n") == std::string::npos) return {};
  const std::size_t mark = word[0] == '-' ? word.find('=') : std::string::npos;
  return mark == std::string::npos ? word : word.substr(mark + 1);
}

// The launcher whose words stand, one after another, at this place.
bool stands_at(const Launcher& launcher, const std::vector<Word>& words, std::size_t at) {
  if (at + launcher.words.size() > words.size()) return false;
  for (std::size_t i = 0; i < launcher.words.size(); ++i) {
    const std::string_view word = i == 0 ? program(words[at].text) : std::string_view(words[at + i].text);
    if (word != launcher.words[i]) return false;
  }
  return true;
}

std::pair<const Engine*, const Launcher*> launcher_at(const std::vector<Word>& words, std::size_t at) {
  for (const Engine& engine : catalog().engines) {
    for (const Launcher& launcher : engine.launchers) {
      if (stands_at(launcher, words, at)) return {&engine, &launcher};
    }
  }
  return {nullptr, nullptr};
}

// The program that a command really starts.
std::size_t main_word(const std::vector<Word>& words) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i].text;
    const bool front = is_one_of(program(word), kInFront) || !assigned_name(word).empty();
    if (!front && (i == 0 || word.empty() || word[0] != '-')) return i;
    if (program(word) == "command" && i + 1 < words.size() && words[i + 1].text == "-v") return words.size();
  }
  return words.size();
}

bool starts_nothing(const std::vector<Word>& words) {
  const std::size_t at = main_word(words);
  return at >= words.size() || is_one_of(program(words[at].text), kStartNothing);
}

// Whether an option of docker run is followed by its value.
bool takes_value(const std::string& word) {
  if (word.size() < 2 || word[0] != '-' || word.find('=') != std::string::npos) return false;
  if (word[1] == '-') return !is_one_of(word, kBareOptions);
  return !std::all_of(word.begin() + 1, word.end(),
                      [](char c) { return kBareLetters.find(c) != std::string_view::npos; });
}

EnvironmentVariable variable_of(const Word& assignment) {
  const std::string_view name = assigned_name(assignment.text);
  EnvironmentVariable out{std::string(name), assignment};
  out.value.text.erase(0, name.size() + 1);
  return out;
}

// Assignments among the words in front of a launch: of env, and of options that set a variable.
void add_variables(const std::vector<Word>& words, std::size_t end, std::vector<EnvironmentVariable>& out) {
  bool by_env = false;
  for (std::size_t i = 0; i < end; ++i) {
    const std::string_view word = words[i].text;
    by_env = by_env || program(word) == "env" || program(word) == "sudo";
    constexpr std::string_view kSetting[] = {"-e", "--env", "-x"};
    const bool set = i > 0 && is_one_of(words[i - 1].text, kSetting);
    const bool plain = i == 0 || words[i - 1].text.substr(0, 1) != "-" || by_env;
    if (!assigned_name(word).empty() && (set || plain)) out.push_back(variable_of(words[i]));
    for (const std::string_view start : {"--env=", "-e="}) {
      if (word.substr(0, start.size()) != start) continue;
      Word rest = words[i];
      rest.text.erase(0, start.size());
      if (!assigned_name(rest.text).empty()) out.push_back(variable_of(rest));
    }
  }
}

const OtherMaker* maker_by_mark(const std::vector<Word>& words, std::size_t end,
                                const std::vector<EnvironmentVariable>& variables) {
  for (const OtherMaker& maker : catalog().hardware.others) {
    for (const std::string_view mark : maker.marks) {
      for (std::size_t i = 0; i < end; ++i) {
        if (words[i].text.find(mark) != std::string::npos) return &maker;
      }
      for (const EnvironmentVariable& variable : variables) {
        if (variable.name.rfind(mark, 0) == 0) return &maker;
      }
    }
  }
  return nullptr;
}

Word value_in_shell(const Command& command, const std::string& name) {
  Word word;
  word.line = command.line;
  word.text = "$" + name;
  word.open = true;
  if (command.variables == nullptr) return word;
  const auto found = command.variables->values.find(name);
  if (found == command.variables->values.end() || !found->second->known || found->second->is_array) return word;
  word.text.clear();
  word.open = found->second->more;
  for (const Piece& piece : found->second->text) {
    word.text += piece.text;
    word.open |= piece.open;
  }
  return word;
}

}  // namespace

// A container that a command starts: what stands in front of its image, and behind it.
struct LaunchFinder::Container {
  std::vector<EnvironmentVariable> variables;
  std::string entrypoint;
  bool replaces_entrypoint = false;
  std::size_t image = 0;  // place of the image; 0: none was found
};

std::vector<EnvironmentVariable> LaunchFinder::environment_of(const Command& command) const {
  std::map<std::string_view, std::size_t> last;  // of assignments: a name that is given twice has its last value
  for (std::size_t i = 0; i < command.assignments.size(); ++i) last[command.assignments[i].first] = i;
  std::vector<EnvironmentVariable> out;
  if (command.variables != nullptr) {
    for (const std::string& name : command.variables->exported) {
      if (out.size() >= kMaxLaunchWords) break;
      if (last.count(name) == 0) out.push_back({name, value_in_shell(command, name)});
    }
  }
  for (std::size_t i = 0; i < command.assignments.size(); ++i) {
    const auto& [name, value] = command.assignments[i];
    if (last[name] == i) out.push_back({name, value});
  }
  return out;
}

void LaunchFinder::keep(FoundLaunch launch, const Command& command) {
  words_ += launch.words.size() + launch.variables.size() + 1;
  if (is_full()) {
    ++left_out_;
    return;
  }
  if (command.files != nullptr) {
    for (const Word& word : launch.words) {
      const std::size_t mark = word.text[0] == '-' ? word.text.find('=') : std::string::npos;
      const std::string name = mark == std::string::npos ? word.text : word.text.substr(mark + 1);
      const WrittenFile* file = command.files->find(name);
      if (file == nullptr) continue;
      launch.files.push_back(*file);
      launch.files.back().name = name;
    }
  }
  launches_.push_back(std::move(launch));
}

bool LaunchFinder::launch(const Command& command, std::size_t begin, std::optional<ImageName> image) {
  for (std::size_t at = begin; at < command.words.size(); ++at) {
    const auto [engine, launcher] = launcher_at(command.words, at);
    if (engine == nullptr) continue;
    if (is_full()) {
      ++left_out_;
      return true;
    }
    FoundLaunch found;
    found.engine = engine;
    found.launcher = launcher;
    found.line = command.line;
    const bool elsewhere = std::any_of(command.words.begin(), command.words.begin() + static_cast<std::ptrdiff_t>(at),
                                       [](const Word& word) { return is_one_of(program(word.text), kElsewhere); });
    if (!elsewhere) found.variables = environment_of(command);
    add_variables(command.words, at, found.variables);
    found.maker = maker_by_mark(command.words, at, found.variables);
    found.words.assign(command.words.begin() + static_cast<std::ptrdiff_t>(at + launcher->words.size()),
                       command.words.end());
    for (std::size_t i = 0; i < at && !image; ++i) {
      const ImageName named = read_image(command.words[i].text);
      if (named.engine == engine) image = named;
    }
    if (image) found.maker = image->maker != nullptr ? image->maker : found.maker;
    found.image = std::move(image);
    keep(std::move(found), command);
    return true;
  }
  return false;
}

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

// docker run OPTIONS IMAGE COMMAND, and what works alike.
bool LaunchFinder::container(const Command& command, std::size_t depth) {
  const auto& words = command.words;
  std::size_t at = 0;
  while (at < words.size() && words[at].text != "run" && words[at].text != "create") ++at;
  if (at == 0 || at >= words.size()) return false;
  const bool known_program = is_one_of(program(words[at - 1].text), kElsewhere);
  Container found;
  for (std::size_t i = at + 1; i < words.size() && found.image == 0; ++i) {
    if (container_option(command, i, found)) continue;
    const std::string& word = words[i].text;
    const bool named = known_program && is_no_option(word);
    if (named || read_image(word).engine != nullptr) found.image = i;
    if (known_program && takes_value(word)) ++i;
  }
  if (found.image == 0) return false;
  container_command(command, found, depth);
  return true;
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

void LaunchFinder::container_command(const Command& command, const Container& container, std::size_t depth) {
  const ImageName image = read_image(command.words[container.image].text);
  const Command inside = inside_of(command, container);
  const std::size_t before = launches_.size();
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
  } else if (!launch(inside, 0, image)) {
    nested(inside, depth);
    if (named_ && launches_.size() == before) keep(std::move(found), command);
  }
  if (launches_.size() == before) other_image_ = image.name;
  const OtherMaker* by_mark = maker_by_mark(command.words, container.image, container.variables);
  for (std::size_t i = before; i < launches_.size(); ++i) {
    if (!launches_[i].image) launches_[i].image = image;
    if (launches_[i].maker == nullptr) launches_[i].maker = by_mark != nullptr ? by_mark : image.maker;
  }
}

// The variables that a script started by this command begins with.
ShellVariables LaunchFinder::inherited(const Command& command, bool elsewhere) {
  ShellVariables out;
  if (!elsewhere && command.variables != nullptr) {
    for (const std::string& exported : command.variables->exported) {
      if (++inherited_ > kMaxInherited) break;
      const auto value = command.variables->values.find(exported);
      if (value == command.variables->values.end()) continue;
      out.values[exported] = value->second;
      out.exported.push_back(exported);
    }
  }
  for (const auto& [variable, value] : command.assignments) {
    auto made = std::make_shared<ShellVariable>();
    made->text = {{value.text, value.open}};
    if (out.values.count(variable) == 0) out.exported.push_back(variable);
    out.values[variable] = std::move(made);
  }
  return out;
}

// Scripts inside: a string that a shell is given, a here-document, a file that the script wrote.
void LaunchFinder::nested(const Command& command, std::size_t depth) {
  if (depth >= kMaxScriptDepth) return;
  const std::size_t main = main_word(command.words);
  const std::string_view name = main < command.words.size() ? program(command.words[main].text) : std::string_view();
  const bool elsewhere = is_one_of(name, kElsewhere);
  const bool shell = is_one_of(name, kShells);
  std::vector<std::pair<std::string, std::size_t>> scripts;
  for (std::size_t i = main; i < command.words.size(); ++i) {
    const Word& word = command.words[i];
    const bool runs = command.files != nullptr && (shell || i == main);
    if (const WrittenFile* file = runs ? command.files->find(word.text) : nullptr; file != nullptr) {
      scripts.emplace_back(file->text, file->line);
    } else if (std::string inside = script_of(word.text); !inside.empty()) {
      scripts.emplace_back(std::move(inside), word.line);
    }
  }
  if (scripts.empty() && command.input != nullptr && (shell || elsewhere)) {
    scripts.emplace_back(command.input->text, command.input->line);
  }
  if (scripts.empty()) return;
  const ShellVariables variables = inherited(command, elsewhere);
  for (const auto& [text, line] : scripts) script(text, line, variables, depth + 1);
}

void LaunchFinder::command(const Command& command, std::size_t depth) {
  if (!arguments_) {
    arguments_.emplace();
    arguments_->words = command.words;
    arguments_->variables = environment_of(command);
    arguments_->line = command.line;
  }
  if (starts_nothing(command.words) || container(command, depth) || launch(command, 0, std::nullopt)) return;
  nested(command, depth);
}

void LaunchFinder::script(std::string_view text, std::size_t line, const ShellVariables& variables, std::size_t depth) {
  Diagnostics unused;
  ShellReader reader(
      variables, files_, [&](const Command& found) { command(found, depth); }, depth == 0 ? problems_ : unused);
  reader.read(text, line);
}

}  // namespace quantmap
