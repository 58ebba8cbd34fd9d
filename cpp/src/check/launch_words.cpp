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
