#include "find_launch.hpp"

#include <algorithm>
#include <map>

#include "launch_forms.hpp"
#include "launch_words.hpp"

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
constexpr std::string_view kOneMark[] = {"conda", "mamba", "micromamba"};  // package=version
// The script that a word holds, by itself or as the value of an option; empty when it is one plain word.
std::string script_of(const std::string& word) {
  if (word.find_first_of(" \t\n") == std::string::npos) return {};
  const std::size_t mark = word[0] == '-' ? word.find('=') : std::string::npos;
  return mark == std::string::npos ? word : word.substr(mark + 1);
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

// Whether a command is a sentence, which begins with a capital letter and goes on: "Launch the vllm serve command".
bool is_prose(std::string_view first, bool goes_on) {
  const auto is_small = [](char c) { return c >= 'a' && c <= 'z'; };
  return goes_on && first.size() > 1 && first[0] >= 'A' && first[0] <= 'Z' &&
         std::all_of(first.begin() + 1, first.end(), is_small);
}

bool starts_nothing(const std::vector<Word>& words) {
  const std::size_t at = main_word(words);
  if (at < words.size() && is_prose(words[at].text, at + 2 < words.size() && launcher_at(words, at).first == nullptr)) {
    return true;
  }
  return at >= words.size() || is_one_of(program(words[at].text), kStartNothing);
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

}  // namespace

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
      if (auto file = command.files->find(name)) launch.files.push_back({name, std::move(file)});
    }
  }
  if (const auto found = installed_.find(launch.engine); found != installed_.end()) {
    launch.installed = found->second.version;
    launch.range = found->second.range;
    launch.sources = found->second.sources;
  }
  launches_.push_back(std::move(launch));
}

// Whether a launcher without anything behind it ends a sentence: "passed through to vllm serve".
static bool ends_sentence(const std::vector<Word>& words, std::size_t at, std::size_t length) {
  const auto is_plain = [](const Word& word) {
    return !word.text.empty() && std::all_of(word.text.begin(), word.text.end(),
                                             [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); });
  };
  const bool starts = at > 0 && is_one_of(program(words[at - 1].text), kInFront);
  return at >= 2 && at + length == words.size() && !starts && is_plain(words[at - 1]) && is_plain(words[at - 2]);
}

bool LaunchFinder::launch(const Command& command, std::size_t begin, std::optional<ImageName> image) {
  for (std::size_t at = begin; at < command.words.size(); ++at) {
    const auto [engine, launcher] = launcher_at(command.words, at);
    if (engine == nullptr || ends_sentence(command.words, at, launcher->words.size())) continue;
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
      const ImageName named = image_of(command.words[i].text);
      if (named.engine == engine) image = named;
    }
    if (image) found.maker = image->maker != nullptr ? image->maker : found.maker;
    found.image = std::move(image);
    keep(std::move(found), command);
    return true;
  }
  return false;
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

// The words behind eval, which are one script.
static std::string joined_words(const std::vector<Word>& words, std::size_t begin) {
  std::string text;
  for (std::size_t i = begin; i < words.size(); ++i) text += words[i].text + " ";
  return text;
}

// Scripts inside: a string that a shell is given, a here-document, a file that the script wrote.
void LaunchFinder::nested(const Command& command, std::size_t depth) {
  if (depth >= kMaxScriptDepth) return;
  const std::size_t main = main_word(command.words);
  const std::string_view name = main < command.words.size() ? program(command.words[main].text) : std::string_view();
  const bool elsewhere = is_one_of(name, kElsewhere);
  const bool shell = is_one_of(name, kShells);
  std::vector<std::pair<std::string, std::size_t>> scripts;
  if (name == "eval") {
    scripts.emplace_back(joined_words(command.words, main + 1), command.line);
  } else {
    scripts = scripts_in(command, main, shell);
  }
  if (scripts.empty() && command.input != nullptr) read_input(command, name, scripts);
  if (scripts.empty()) return;
  const ShellVariables variables = inherited(command, elsewhere);
  const std::size_t before = launches_.size();
  for (const auto& [text, line] : scripts) {
    if (nested_bytes_ + text.size() > kMaxNestedBytes) break;
    nested_bytes_ += text.size();
    script(text, line, variables, depth + 1);
  }
  take_image(command.words, before);
}

// A here-document that a command reads: a script for a shell, here or elsewhere; else it is kept for other readers.
void LaunchFinder::read_input(const Command& command, std::string_view program,
                              std::vector<std::pair<std::string, std::size_t>>& scripts) {
  const auto is_shell = [](const Word& word) { return is_one_of(quantmap::program(word.text), kShells); };
  const bool shell = program == "ssh" || std::any_of(command.words.begin(), command.words.end(), is_shell);
  if (shell) {
    scripts.emplace_back(command.input->text, command.input->line);
  } else {
    files_.add({{}, command.input->text, command.input->line, command.input->open});
  }
}

// Scripts among the words of a command, each with its line.
std::vector<std::pair<std::string, std::size_t>> LaunchFinder::scripts_in(const Command& command, std::size_t main,
                                                                          bool shell) {
  std::vector<std::pair<std::string, std::size_t>> scripts;
  for (std::size_t i = main; i < command.words.size(); ++i) {
    const Word& word = command.words[i];
    const bool runs = command.files != nullptr && (shell || i == main);
    if (const auto file = runs ? command.files->find(word.text) : nullptr; file != nullptr) {
      file->is_read = true;
      scripts.emplace_back(file->text, file->line);
    } else if (std::string inside = script_of(word.text); !inside.empty()) {
      scripts.emplace_back(std::move(inside), word.line);
    }
  }
  return scripts;
}

// An image that an option names, as srun has it, is that of the launches inside.
void LaunchFinder::take_image(const std::vector<Word>& words, std::size_t first) {
  if (first == launches_.size()) return;
  for (const Word& word : words) {
    const bool named = word.text.find('/') != std::string::npos || pulled_.count(word.text) > 0;
    if (!named || word.text.find(' ') != std::string::npos) continue;
    const ImageName image = image_of(word.text);
    for (std::size_t i = first; i < launches_.size() && image.engine != nullptr; ++i) {
      if (launches_[i].engine == image.engine && !launches_[i].image) launches_[i].image = image;
    }
  }
}

// An image by its name, or by the file that the script keeps it in.
ImageName LaunchFinder::image_of(const std::string& word) const {
  const auto kept = pulled_.empty() ? pulled_.end() : pulled_.find(program(word));
  return kept == pulled_.end() ? read_image(word) : kept->second;
}

void LaunchFinder::note_packages(const std::vector<Word>& words) {
  if (auto pulled = pulled_image(words)) pulled_[pulled->first] = std::move(pulled->second);
  const std::size_t main = main_word(words);
  const bool conda = main < words.size() && is_one_of(program(words[main].text), kOneMark);
  const bool cloned = main < words.size() && program(words[main].text) == "git";
  for (const Word& word : words) {
    if (word.open) continue;
    if (auto package = installed_package(word.text, conda, ranges_ < kMaxRanges)) {
      ranges_ += package->range.empty() ? 0 : 1;
      installed_[package->engine] = {package->version, package->range, {}};
    } else if (auto sources = engine_sources(word.text, cloned)) {
      note_sources(*sources, cloned);
    }
  }
  if (cloned) note_clone(words, main);
}

// Sources that an engine is installed from, or that are cloned, which of the engine's own may be for its examples.
void LaunchFinder::note_sources(const EngineSources& sources, bool cloned) {
  const bool for_examples = cloned && sources.upstream;
  if (for_examples) cloned_ = sources.engine;
  if (!sources.release.empty()) {
    installed_[sources.engine] = {sources.release, {}, {}};
  } else if (!for_examples) {
    installed_[sources.engine] = {{}, {}, sources.name};
  }
}

// The tag of an engine's own repository that a script clones, or checks out behind that.
void LaunchFinder::note_clone(const std::vector<Word>& words, std::size_t main) {
  constexpr std::string_view kBranch[] = {"-b", "--branch"};
  constexpr std::string_view kMoves[] = {"checkout", "switch", "clone"};
  const auto moves = [&](const Word& word) { return is_one_of(word.text, kMoves); };
  const auto verb = std::find_if(words.begin() + static_cast<std::ptrdiff_t>(main), words.end(), moves);
  if (cloned_ == nullptr || verb == words.end()) return;
  constexpr std::ptrdiff_t kMost = 12;  // options, an address, a folder
  for (auto word = verb + 1; word != words.end() && word - verb <= kMost; ++word) {
    std::string_view tag = word->text;
    const bool attached = tag.starts_with("--branch=");
    if (attached) tag.remove_prefix(tag.find('=') + 1);
    if (verb->text == "clone" && !attached && !is_one_of((word - 1)->text, kBranch)) continue;
    std::string release = word->open ? std::string() : release_of_tag(*cloned_, tag);
    if (!release.empty()) installed_[cloned_] = {std::move(release), {}, {}};
  }
}

void LaunchFinder::note_other(const std::vector<Word>& words) {
  if (auto other = other_command(words, main_word(words))) other_ = std::move(other);
}

bool LaunchFinder::command(const Command& given, std::size_t depth) {
  const std::size_t before = launches_.size() + left_out_;
  if (!arguments_) {
    arguments_.emplace();
    arguments_->words = given.words;
    arguments_->variables = environment_of(given);
    arguments_->line = given.line;
  }
  note_packages(given.words);
  const std::optional<Command> plain = plain_form(given);
  const Command& command = plain ? *plain : given;
  const bool done = starts_nothing(command.words) || container(command, depth) || launch(command, 0, std::nullopt);
  if (!done) nested(command, depth);
  const bool found = launches_.size() + left_out_ > before;
  if (!found && !done) note_other(command.words);
  return found;
}

void LaunchFinder::script(std::string_view text, std::size_t line, const ShellVariables& variables, std::size_t depth) {
  Diagnostics unused;
  ShellReader reader(
      variables, files_, [&](const Command& found) { return command(found, depth); }, depth == 0 ? problems_ : unused,
      budget_);
  reader.each_turn_of([](const std::vector<Word>& words) { return starts_engine(words); }).read(text, line);
}

}  // namespace quantmap
