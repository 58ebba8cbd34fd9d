#include "line_arguments.hpp"

#include <algorithm>

#include "quantmap/base/text.hpp"

namespace quantmap {

namespace {

bool is_flag(const Word& word) {
  const std::string& text = word.text;
  if (text.size() < 2 || text.front() != '-') return false;
  return !(text[1] >= '0' && text[1] <= '9') && text[1] != '.';  // -1 and -.5 are values
}

// Of what branches add, as much is read as people write.
constexpr std::size_t kMostArguments = 200;  // of a line, with those that branches add
constexpr std::size_t kMostBranching = 16;   // words of a line
constexpr std::size_t kMostBranchWords = 400;

bool is_truth(std::string_view word) { return word == "true" || word == "false"; }

class Reader {
 public:
  Reader(const Engine& engine, ReleaseNumber release, const std::vector<Word>& words)
      : engine_(engine), release_(release), words_(words) {}

  LineArguments read() {
    while (at_ < words_.size()) {
      const Word& word = words_[at_];
      if (!is_flag(word)) {
        (word.many && !out_.positional.empty() ? out_.unknown : out_.positional).push_back(word);
        ++at_;
      } else if (word.many) {
        out_.unknown.push_back(words_[at_++]);
      } else {
        flag(word);
      }
    }
    const std::size_t open = std::min(out_.unknown.size(), kMostBranching);
    for (std::size_t i = 0; i < open; ++i) add_branches(out_.unknown[i].either);
    return std::move(out_);
  }

 private:
  // What a branch of the script puts in place of an open word, where the line does not give it anyway.
  void add_branches(const BranchValues& values) {
    for (const auto& value : values) {
      std::vector<Word> words;
      for (const Piece& piece : value->text) add_words(piece, words);
      for (const Word& item : value->items) {
        if (words.size() < kMostBranchWords) words.emplace_back(item).either.clear();
      }
      for (Argument& argument : Reader(engine_, release_, words).read().arguments) {
        const bool given =
            std::any_of(out_.arguments.begin(), out_.arguments.end(), [&argument](const Argument& other) {
              return other.flag == argument.flag && (!other.perhaps || other.value == argument.value);
            });
        if (given || out_.arguments.size() >= kMostArguments) continue;
        argument.perhaps = true;
        add(std::move(argument), false);
      }
    }
  }

  static void add_words(const Piece& piece, std::vector<Word>& out) {
    std::size_t at = 0;
    while (at < piece.text.size()) {
      const std::size_t begin = piece.text.find_first_not_of(" \t\n\r", at);
      if (begin == std::string::npos) return;
      if (out.size() >= kMostBranchWords) return;
      at = std::min(piece.text.find_first_of(" \t\n\r", begin), piece.text.size());
      Word& word = out.emplace_back();
      word.text = piece.text.substr(begin, at - begin);
      word.open = word.many = piece.open;
    }
  }

  // A flag of whose name a template or a shell fills in some: what it begins with is one that is known, or none is.
  bool filled_in(const Word& word) {
    const std::string_view name = std::string_view(word.text).substr(0, word.text.find('='));
    const std::size_t cut = word.open ? name.find_first_of("{$<%@") : std::string_view::npos;
    if (cut == std::string_view::npos) return false;
    ++at_;
    if (const std::string start = word.text.substr(0, cut); cut > 2 && word.text[cut] == '{' && find(start)) {
      Argument argument;
      argument.flag = start;
      argument.open = true;
      argument.value = true;
      add(std::move(argument), false);
    }
    out_.unknown.push_back(word);
    if (at_ < words_.size() && !is_flag(words_[at_])) out_.unknown.push_back(words_[at_++]);  // its value
    return true;
  }

  void flag(const Word& word) {
    if (filled_in(word)) return;
    Argument argument;
    const std::size_t begin = at_;
    const std::size_t end = end_of_flag(word.text);
    argument.flag = word.text.substr(0, end);
    if (end < word.text.size()) {
      argument.value = word.text.substr(end + (word.text[end] == '=' ? 1 : 0));
      argument.open = word.open;
      ++at_;
    } else {
      argument.open = word.open;
      ++at_;
      argument.value = values_of(argument);
    }
    const auto first = words_.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto end_of_all = words_.begin() + static_cast<std::ptrdiff_t>(at_);
    add(std::move(argument), std::any_of(first, end_of_all, [](const Word& each) { return each.by_default; }));
  }

  void add(Argument argument, bool by_default) {
    out_.arguments.push_back(std::move(argument));
    out_.by_default.push_back(by_default);
  }

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
  ArgumentValue values_of(Argument& argument) {
    const std::optional<KnownFlag> known = find(argument.flag);
    const Arity arity = known ? known->interval->arity : Arity::kOne;
    if (arity == Arity::kNone || at_ >= words_.size() || is_flag(words_[at_])) return true;
    const Word& first = words_[at_];
    // Words that may be any number of arguments are the value of a flag that needs one, and of no other.
    if (first.many && arity != Arity::kOne && arity != Arity::kMany) return true;
    // A switch that may take a word takes only such a one.
    const bool is_switch = known && known->interval->type == FlagType::kBool;
    if (is_switch && !is_truth(lower(first.text))) return true;
    std::string value = first.text;
    argument.open |= first.open;
    ++at_;
    const bool is_list = arity == Arity::kAny || arity == Arity::kMany;
    while (is_list && at_ < words_.size() && !is_flag(words_[at_])) {
      value += " " + words_[at_].text;
      argument.open |= words_[at_++].open;
    }
    return value;
  }

  const Engine& engine_;
  ReleaseNumber release_;
  const std::vector<Word>& words_;
  std::size_t at_ = 0;
  LineArguments out_;
};

}  // namespace

LineArguments read_arguments(const Engine& engine, ReleaseNumber release, const std::vector<Word>& words) {
  return Reader(engine, release, words).read();
}

}  // namespace quantmap
