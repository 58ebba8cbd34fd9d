#include "launch_words.hpp"

namespace quantmap {

namespace {

// The launcher whose words stand, one after another, at this place.
bool stands_at(const Launcher& launcher, const std::vector<Word>& words, std::size_t at) {
  if (at + launcher.words.size() > words.size()) return false;
  for (std::size_t i = 0; i < launcher.words.size(); ++i) {
    const std::string_view word = i == 0 ? program(words[at].text) : std::string_view(words[at + i].text);
    if (word != launcher.words[i]) return false;
  }
  return true;
}

}  // namespace

std::string_view program(std::string_view word) {
  const std::size_t slash = word.rfind('/');
  return slash == std::string_view::npos ? word : word.substr(slash + 1);
}

std::pair<const Engine*, const Launcher*> launcher_at(const std::vector<Word>& words, std::size_t at) {
  for (const Engine& engine : catalog().engines) {
    for (const Launcher& launcher : engine.launchers) {
      if (stands_at(launcher, words, at)) return {&engine, &launcher};
    }
  }
  return {nullptr, nullptr};
}

bool starts_engine(const std::vector<Word>& words) {
  for (std::size_t at = 0; at < words.size(); ++at) {
    if (launcher_at(words, at).first != nullptr || read_image(words[at].text).engine != nullptr) return true;
  }
  return false;
}

// Whether a word is a program or module of the engine that a launcher starts: vllm, trtllm-bench, vllm.entrypoints.x
static bool is_own_word(const Launcher& launcher, const std::vector<Word>& words, std::size_t at) {
  const std::string_view first = launcher.words.front();
  if (first != "-m") {
    const std::size_t dash = first.find('-');
    const std::string_view start = first.substr(0, dash == std::string_view::npos ? dash : dash + 1);
    const std::string_view name = program(words[at].text);
    return dash == std::string_view::npos ? name == start : name.substr(0, start.size()) == start;
  }
  if (words[at].text != "-m" || at + 1 >= words.size()) return false;
  const std::string_view package = launcher.words[1].substr(0, launcher.words[1].find('.') + 1);
  return std::string_view(words[at + 1].text).substr(0, package.size()) == package;
}

// Whose program or module stands here: an engine's, or that of a package beside one; empty when it is neither.
static std::string_view owner_at(const std::vector<Word>& words, std::size_t at) {
  for (const Engine& engine : catalog().engines) {
    const auto is_own = [&](const Launcher& launcher) { return is_own_word(launcher, words, at); };
    if (std::any_of(engine.launchers.begin(), engine.launchers.end(), is_own)) return engine.name;
    for (const Plugin& plugin : engine.plugins) {
      if (program(words[at].text) == plugin.package) return plugin.package;
    }
  }
  return {};
}

// Whether a sign of other languages' assignments stands here.
static bool is_assigned(const std::vector<Word>& words, std::size_t at) {
  return at < words.size() && (words[at].text == "=" || words[at].text == ":");
}

std::optional<OtherCommand> other_command(const std::vector<Word>& words, std::size_t main) {
  constexpr std::string_view kPrints[] = {"--version", "-v", "--help", "-h", "version"};
  if (main >= words.size()) return std::nullopt;
  const bool python = program(words[main].text).substr(0, 6) == "python";
  const std::size_t at = python ? main + 1 : main;
  const std::string_view owner = at < words.size() ? owner_at(words, at) : std::string_view();
  if (owner.empty()) return std::nullopt;
  const std::size_t next = at + (python ? 2 : 1);
  if (next > words.size() || is_assigned(words, next)) return std::nullopt;
  OtherCommand out{std::string(owner), words[at].text, next >= words.size()};
  if (python) out.words = words[main].text + " -m " + words[at + 1].text;
  for (std::size_t i = next; i < words.size() && i < next + 2; ++i) out.prints |= is_one_of(words[i].text, kPrints);
  const bool names_command = next < words.size() && (out.prints || words[next].text.substr(0, 1) != "-");
  if (names_command && !python) out.words += " " + words[next].text;
  return out;
}

EnvironmentVariable variable_of(const Word& assignment) {
  const std::string_view name = assigned_name(assignment.text);
  EnvironmentVariable out{std::string(name), assignment};
  out.value.text.erase(0, name.size() + 1);
  return out;
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

}  // namespace quantmap
