#include "launch_forms.hpp"

#include "launch_words.hpp"
#include "quantmap/catalog/hosts.hpp"

namespace quantmap {

namespace {

constexpr std::string_view kSubstitutions[] = {"$(which ", "$(command -v ", "$(type -p ", "`which ", "`command -v "};
constexpr std::string_view kSpecSigns = "@=<>~![;";  // what may stand between a package and its version

// A word of another text at the same place; what was not known of the whole is not known of it.
Word word_like(const Word& given, std::string text) {
  Word out;
  out.line = given.line;
  out.open = given.open && text.find_first_of("$`{<%") != std::string::npos;
  out.by_default = given.by_default;
  out.text = std::move(text);
  return out;
}

void take_text(Word& word, std::string_view text) {
  word.text = std::string(text);
  word.open = word.many = word.by_default = false;
}

// "vllm" of "$(which vllm)"; empty for any other word.
std::string_view looked_up(std::string_view word) {
  for (const std::string_view start : kSubstitutions) {
    if (!word.starts_with(start) || word.size() <= start.size() + 1) continue;
    const std::string_view inside = word.substr(start.size(), word.size() - start.size() - 1);
    return inside.find_first_of(" \t\n'\"$`()") == std::string_view::npos ? inside : std::string_view();
  }
  return {};
}

// The module of an engine's server whose file a word names: PATH/vllm/entrypoints/openai/api_server.py.
std::string_view module_of_path(std::string_view word) {
  if (!word.ends_with(".py")) return {};
  word.remove_suffix(3);
  for (const Engine& engine : catalog().engines) {
    for (const Launcher& launcher : engine.launchers) {
      if (launcher.words.size() != 2 || launcher.words.front() != "-m") continue;
      std::string path(launcher.words[1]);
      std::replace(path.begin(), path.end(), '.', '/');
      if (!word.ends_with(path)) continue;
      const std::size_t at = word.size() - path.size();
      if (at == 0 || word[at - 1] == '/') return launcher.words[1];
    }
  }
  return {};
}

bool is_python(std::string_view word) { return program(word).starts_with("python"); }

// A server's module where its file, or the module without a blank, stands behind Python.
bool with_modules(std::vector<Word>& words) {
  for (std::size_t i = 1; i < words.size() && i < 12; ++i) {
    const std::string_view text = words[i].text;
    const bool attached = text.size() > 2 && text.starts_with("-m") && text[2] != '-';
    const std::string module(attached ? text.substr(2) : module_of_path(text));
    if (module.empty() || !std::any_of(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(i),
                                       [](const Word& word) { return is_python(word.text); })) {
      continue;
    }
    Word option = words[i];
    take_text(option, "-m");
    take_text(words[i], module);
    words.insert(words.begin() + static_cast<std::ptrdiff_t>(i), std::move(option));
    return true;
  }
  return false;
}

// The place behind the words of a program that runs a package's command by itself: uvx, uv tool run, pipx run.
std::size_t behind_runner(const std::vector<Word>& words) {
  for (std::size_t i = 0; i < words.size() && i < 8; ++i) {
    const std::string_view name = program(words[i].text);
    const auto next = [&](std::size_t by) {
      return i + by < words.size() ? std::string_view(words[i + by].text) : std::string_view();
    };
    if (name == "uvx") return i + 1;
    if (name == "uv" && next(1) == "tool" && next(2) == "run") return i + 3;
    if (name == "pipx" && next(1) == "run") return i + 2;
  }
  return 0;
}

// The first program of an engine that such a runner is given, without its version.
bool with_runner(std::vector<Word>& words) {
  const std::size_t begin = behind_runner(words);
  for (std::size_t i = begin; begin != 0 && i < words.size(); ++i) {
    const std::string_view text = words[i].text;
    if (text.starts_with('-')) continue;
    const std::string_view name = text.substr(0, text.find_first_of(kSpecSigns));
    const bool of_option = words[i - 1].text.starts_with("--") && words[i - 1].text.find('=') == std::string::npos;
    if (of_option || name.empty() || engine_of_package(name) == nullptr) continue;
    const bool ended = i + 1 < words.size() && words[i + 1].text == "--";
    if (name.size() == text.size() && !ended) return false;
    take_text(words[i], std::string(name));
    if (ended) words.erase(words.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    return true;
  }
  return false;
}

// pm2 start PROGRAM OPTIONS -- WORDS: the program with its words.
bool with_manager(std::vector<Word>& words) {
  std::size_t at = 0;
  while (at + 2 < words.size() && !(program(words[at].text) == "pm2" && words[at + 1].text == "start")) ++at;
  if (at + 2 >= words.size()) return false;
  const auto begin = words.begin() + static_cast<std::ptrdiff_t>(at) + 2;
  const auto dashes = std::find_if(begin, words.end(), [](const Word& word) { return word.text == "--"; });
  const auto started = std::find_if(begin, dashes, [](const Word& word) { return !word.text.starts_with('-'); });
  if (dashes == words.end() || started == dashes) return false;
  std::vector<Word> out{*started};
  out.insert(out.end(), dashes + 1, words.end());
  words = std::move(out);
  return true;
}

bool with_lookups(std::vector<Word>& words) {
  bool changed = false;
  for (Word& word : words) {
    const std::string name(word.open ? looked_up(word.text) : std::string_view());
    if (name.empty()) continue;
    take_text(word, name);
    changed = true;
  }
  return changed;
}

// The parts of a text between signs; of quotes those are kept together in which there are blanks.
std::vector<std::string> parts_between(std::string_view text, std::string_view signs) {
  std::vector<std::string> out(1);
  char quote = 0;
  for (const char c : text) {
    if (quote == 0 && signs.find(c) != std::string_view::npos) {
      if (!out.back().empty()) out.emplace_back();
    } else if (signs == " \t\n" && (c == '\'' || c == '"') && (quote == 0 || quote == c)) {
      quote = quote == 0 ? c : 0;
    } else {
      out.back() += c;
    }
  }
  if (out.back().empty()) out.pop_back();
  return out;
}

class HostedReader {
 public:
  explicit HostedReader(const Command& command, bool commas) : command_(command), commas_(commas) {}

  std::optional<Command> read() {
    for (at_ = 0; at_ < command_.words.size(); ++at_) option();
    if (image_.text.empty()) return std::nullopt;
    Command out = command_;
    out.words.clear();
    for (const std::string_view text : {"docker", "run"}) out.words.push_back(word_like(image_, std::string(text)));
    for (Word& variable : variables_) {
      out.words.push_back(word_like(image_, "-e"));
      out.words.push_back(std::move(variable));
    }
    if (!program_.empty()) {
      Word entrypoint = program_.front();
      entrypoint.text.insert(0, "--entrypoint=");
      out.words.push_back(std::move(entrypoint));
      program_.erase(program_.begin());
    }
    out.words.push_back(image_);
    out.words.insert(out.words.end(), program_.begin(), program_.end());
    out.words.insert(out.words.end(), arguments_.begin(), arguments_.end());
    return out;
  }

 private:
  void option() {
    const Word& word = command_.words[at_];
    const std::string name = word.text.substr(0, word.text.find('='));
    if (is_one_of(name, hosts().image)) {
      image_ = value();
    } else if (is_one_of(name, hosts().arguments)) {
      arguments();
    } else if (is_one_of(name, hosts().program)) {
      split(value(), program_);
    } else if (is_one_of(name, hosts().line)) {
      line();
    } else if (is_one_of(name, hosts().variables)) {
      for (std::string& text : parts_between(value().text, ",")) {
        if (!assigned_name(text).empty()) variables_.push_back(word_like(word, std::move(text)));
      }
    }
  }

  // The value of the option that stands here.
  Word value() {
    Word out = command_.words[at_];
    const std::size_t mark = out.text.find('=');
    if (mark != std::string::npos) {
      out.text.erase(0, mark + 1);
    } else if (at_ + 1 < command_.words.size()) {
      out = command_.words[++at_];
    } else {
      out.text.clear();
    }
    return out;
  }

  // A value with several words in it, apart; gcloud writes ^:^ in front where a colon stands between them.
  void split(const Word& given, std::vector<Word>& out) const {
    std::string_view text = given.text;
    std::string signs = commas_ ? "," : " \t\n";
    if (commas_ && text.size() > 2 && text[0] == '^' && text[2] == '^') {
      signs = text.substr(1, 1);
      text.remove_prefix(3);
    }
    for (std::string& part : parts_between(text, signs)) out.push_back(word_like(given, std::move(part)));
  }

  // What stands behind --args: one word with all of them, or all words to the end.
  void arguments() {
    const bool attached = command_.words[at_].text.find('=') != std::string::npos;
    const bool rest = !attached && !commas_ && at_ + 2 < command_.words.size() &&
                      command_.words[at_ + 1].text.find(' ') == std::string::npos;
    if (!rest) return split(value(), arguments_);
    arguments_.insert(arguments_.end(), command_.words.begin() + static_cast<std::ptrdiff_t>(at_) + 1,
                      command_.words.end());
    at_ = command_.words.size();
  }

  void line() {
    const Word script = value();
    for (const std::string_view text : {"sh", "-c"}) program_.push_back(word_like(script, std::string(text)));
    program_.push_back(script);
  }

  const Command& command_;
  bool commas_;
  std::size_t at_ = 0;
  Word image_;
  std::vector<Word> program_;
  std::vector<Word> arguments_;
  std::vector<Word> variables_;
};

}  // namespace

std::optional<Command> plain_form(const Command& command) {
  std::vector<Word> words = command.words;
  bool changed = with_lookups(words);
  changed |= with_manager(words);
  changed |= with_runner(words);
  changed |= with_modules(words);
  if (!changed) return std::nullopt;
  Command out = command;
  out.words = std::move(words);
  return out;
}

std::optional<Command> hosted_container(const Command& command) {
  for (std::size_t i = 0; i < command.words.size() && i < 4; ++i) {
    const std::string_view name = program(command.words[i].text);
    for (const HostProgram& host : hosts().programs) {
      if (host.name == name) return HostedReader(command, host.commas).read();
    }
  }
  return std::nullopt;
}

}  // namespace quantmap
