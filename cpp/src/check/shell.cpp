// Commands of a script one after another: what they assign, write and start.
#include "quantmap/check/shell.hpp"

#include <algorithm>
#include <deque>
#include <set>
#include <span>

#include "shell_blocks.hpp"
#include "shell_expand.hpp"
#include "shell_lexer.hpp"

namespace quantmap {

namespace {

using shell::Blocks;
using shell::Expander;
using shell::Lexer;
using shell::RawWord;
using shell::Token;
using shell::TokenKind;

// Builtins whose words are assignments.
constexpr std::string_view kDeclaring[] = {"export", "declare", "typeset", "local", "readonly"};

bool is_one_of(std::string_view word, std::span<const std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

constexpr std::string_view kTests[] = {"[[", "[", "test"};
constexpr std::string_view kPassing[] = {"cat", "echo", "printf", "tee"};  // they write what they read or are given

// One simple command: its tokens, and what joins it to the one before.
struct Simple {
  std::vector<const Token*> words;
  std::vector<const Token*> redirections;
  std::string_view before;  // the operator in front
  std::string_view behind;
};

class Interpreter {
 public:
  Interpreter(ShellVariables& variables, const CommandVisitor& visit, WrittenFiles& files)
      : variables_(variables), expander_(variables), blocks_(variables), visit_(visit), files_(files) {}

  void run(std::string_view text, std::size_t first_line, Diagnostics& problems) {
    Lexer lexer(text, first_line, problems);
    std::vector<Token> tokens;
    while (lexer.next_line(tokens)) line(tokens);
  }

 private:
  void line(const std::vector<Token>& tokens) {
    Simple simple;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      const Token& token = tokens[i];
      if (token.kind == TokenKind::kRedirection) {
        simple.redirections.push_back(&token);
      } else if (token.kind == TokenKind::kWord) {
        simple.words.push_back(&token);
      } else if (token.sign == "(" && i + 1 < tokens.size() && tokens[i + 1].sign == ")") {
        simple.words.clear();  // a function's name
        simple.before = "(";
        ++i;
      } else {
        simple.behind = token.sign;
        command(simple);
        blocks_.sign(token.sign);
        simple = {};
        simple.before = token.sign;
      }
    }
    simple.behind = "\n";
    command(simple);
    piped_ = nullptr;
  }

  void command(Simple& simple) {
    if (simple.before != "|" && simple.before != "|&") piped_ = nullptr;
    while (!simple.words.empty() && keyword(simple)) {
    }
    if (blocks_.in_pattern() || (simple.words.empty() && simple.redirections.empty())) return;
    const bool behind_test = simple.before == "&&" && tested_;
    const bool conditional = simple.before == "||" || behind_test;
    if (!simple.words.empty()) tested_ = behind_test || is_one_of(simple.words.front()->word.plain(), kTests);
    if (conditional) blocks_.open(shell::Block::kBranch);
    execute(simple);
    if (conditional) blocks_.close(shell::Block::kBranch);
  }

  // Reads a keyword at the front; true when the rest is a command still.
  bool keyword(Simple& simple) {
    const std::string_view word = simple.words.front()->word.plain();
    if (word == "for" || word == "select" || word == "case") {
      if (word == "case") {
        blocks_.open(shell::Block::kCase);
      } else {
        blocks_.open(shell::Block::kLoop);
        loop_variable(simple);
      }
      simple.words.clear();
      return true;
    }
    if (word == "function" && simple.words.size() > 1) simple.words.erase(simple.words.begin() + 1);  // its name
    if (!blocks_.keyword(word)) return false;
    simple.words.erase(simple.words.begin());
    return true;
  }

  void loop_variable(const Simple& simple) {
    if (simple.words.size() < 2) return;
    const std::string name(simple.words[1]->word.plain());
    if (name.empty()) return;
    ShellVariable value;
    std::vector<Word> items;
    for (std::size_t i = 3; i < simple.words.size(); ++i) expander_.expand(simple.words[i]->word, items);
    value.known = items.size() == 1 && !items[0].open;
    if (value.known) value.text = {{items[0].text, false}};
    set(name, std::move(value));
  }

  void set(const std::string& name, ShellVariable value) {
    blocks_.before_change(name);
    expander_.set(name, std::move(value));
  }

  // NAME=value, NAME+=value, NAME=(items): false when the word is none of them.
  bool assign(const RawWord& raw, bool exported) {
    if (!is_assignment(raw)) return false;
    const std::string name(assigned_name(raw.parts[0].text));
    const bool adds = raw.parts[0].text[name.size()] == '+';
    ShellVariable value;
    const ShellVariable* old = adds ? expander_.find(name) : nullptr;
    if (old != nullptr) value = *old;
    if (adds && old == nullptr) value.more = !raw.is_array;
    if (raw.is_array) {
      value.is_array = true;
      for (const RawWord& item : raw.items) expander_.expand(item, value.items);
    } else {
      for (Piece& piece : value_text(raw, name.size() + (adds ? 2 : 1))) value.text.push_back(std::move(piece));
    }
    if (!expander_.spend(size_of(value))) value = {{}, {}, false, false, false};
    set(name, std::move(value));
    if (exported) note_export(name);
    return true;
  }

  static std::size_t size_of(const ShellVariable& value) {
    std::size_t bytes = 0;
    for (const Piece& piece : value.text) bytes += piece.text.size() + sizeof(Piece);
    for (const Word& item : value.items) bytes += item.text.size() + sizeof(Word);
    return bytes;
  }

  std::vector<Piece> value_text(const RawWord& raw, std::size_t prefix) {
    std::vector<shell::Part> parts = raw.parts;
    parts[0].text.erase(0, prefix);
    return expander_.text_of(parts);
  }

  void note_export(const std::string& name) {
    if (exported_.insert(name).second) variables_.exported.push_back(name);
  }

  void execute(const Simple& simple) {
    Command command;
    command.variables = &variables_;
    command.files = &files_;
    std::size_t at = 0;
    while (at < simple.words.size() && is_assignment(simple.words[at]->word)) ++at;
    const std::string_view first = at < simple.words.size() ? simple.words[at]->word.plain() : std::string_view();
    if (at == simple.words.size() || is_one_of(first, kDeclaring)) {
      declare(simple, at);
      return;
    }
    command.line = simple.words.front()->word.line;
    for (std::size_t i = 0; i < at; ++i) {
      const RawWord& raw = simple.words[i]->word;
      const std::string name(assigned_name(raw.parts[0].text));
      command.assignments.emplace_back(name, shell::joined(value_text(raw, name.size() + 1), raw.line));
    }
    for (; at < simple.words.size(); ++at) expander_.expand(simple.words[at]->word, command.words);
    if (first == "unset" || first == "read") forget(command.words);
    write_files(simple, command);
    if (!command.words.empty()) visit_(command);
  }

  static bool is_assignment(const RawWord& raw) {
    return !raw.parts.empty() && raw.parts[0].kind == shell::PartKind::kText && !raw.parts[0].quoted &&
           !assigned_name(raw.parts[0].text).empty();
  }

  // Assignments alone, or behind `export` and its kin.
  void declare(const Simple& simple, std::size_t at) {
    bool exported = at < simple.words.size() && simple.words[at]->word.plain() == "export";
    for (std::size_t i = 0; i < simple.words.size(); ++i) {
      const RawWord& raw = simple.words[i]->word;
      const std::string_view plain = raw.plain();
      if (plain.size() > 1 && plain[0] == '-' && plain.find('x') != std::string_view::npos) exported = true;
      if (assign(raw, exported) || i <= at) continue;
      if (exported && !plain.empty() && plain[0] != '-') note_export(std::string(plain));
    }
  }

  void forget(const std::vector<Word>& words) {
    const bool unsets = !words.empty() && words.front().text == "unset";
    for (const Word& word : words) {
      if (word.text.empty() || word.text[0] == '-' || variables_.values.count(word.text) == 0) continue;
      set(word.text, {{}, {}, false, false, false});
      if (unsets && exported_.erase(word.text) > 0) std::erase(variables_.exported, word.text);
    }
  }

  // Files that here-documents, or words that a program prints, are written to.
  void write_files(const Simple& simple, Command& command) {
    const std::string_view program = command.words.empty() ? std::string_view() : command.words[0].text;
    auto [input, target] = redirected(simple);
    const bool prints = program == "echo" || program == "printf";
    if (input == nullptr && prints) input = &printed(command);
    if (program == "tee" && target.empty()) target = last_name(command.words);
    if (input != nullptr && !target.empty()) files_.add({target, input->text, input->line, input->open});
    const bool passes_on = is_one_of(program, kPassing);
    piped_ = passes_on && target.empty() && simple.behind == "|" ? input : nullptr;
    if (!passes_on) command.input = input;
  }

  // What the command reads, if that is in the script, and the name of the file that it writes.
  std::pair<const WrittenFile*, std::string> redirected(const Simple& simple) {
    std::pair<const WrittenFile*, std::string> out{piped_, {}};
    for (const Token* token : simple.redirections) {
      if (token->sign.substr(0, 2) == "<<") {
        out.first = &keep_input(*token);
      } else if (token->sign.find('>') != std::string::npos && token->sign != ">&") {
        out.second = shell::joined(expander_.text_of(token->word.parts), 0).text;
      }
    }
    return out;
  }

  static std::string last_name(const std::vector<Word>& words) {
    std::string name;
    for (std::size_t i = 1; i < words.size(); ++i) {
      if (words[i].text.substr(0, 1) != "-") name = words[i].text;
    }
    return name;
  }

  const WrittenFile& printed(const Command& command) {
    WrittenFile out;
    out.line = command.line;
    for (std::size_t i = 1; i < command.words.size(); ++i) {
      if (i == 1 && command.words[i].text.substr(0, 1) == "-") continue;
      add_printed(command.words[i], out);
    }
    return inputs_.emplace_back(std::move(out));
  }

  // As echo -e and printf write it: \n ends a line.
  static void add_printed(const Word& word, WrittenFile& file) {
    for (std::size_t i = 0; i < word.text.size(); ++i) {
      const bool ends = word.text.compare(i, 2, "\\n") == 0;
      file.text += ends ? '\n' : word.text[i];
      i += ends ? 1 : 0;
    }
    file.text += ' ';
    file.open |= word.open;
  }

  const WrittenFile& keep_input(const Token& token) {
    WrittenFile& input = inputs_.emplace_back();
    input.line = token.body_line;
    if (token.sign == "<<<") {
      input.line = token.word.line;
      const Word word = shell::joined(expander_.text_of(token.word.parts), 0);
      input.text = word.text;
      input.open = word.open;
    } else if (token.literal) {
      input.text = token.body;
    } else {
      Diagnostics unused;
      const Word word = shell::joined(expander_.text_of(Lexer(token.body, 1, unused).quoted_text(true)), 0);
      input.text = word.text;
      input.open = word.open;
    }
    return input;
  }

  ShellVariables& variables_;
  Expander expander_;
  Blocks blocks_;
  const CommandVisitor& visit_;
  WrittenFiles& files_;
  std::deque<WrittenFile> inputs_;  // of commands; a pipe hands them on
  const WrittenFile* piped_ = nullptr;
  bool tested_ = false;
  std::set<std::string> exported_;
};

}  // namespace

void WrittenFiles::add(WrittenFile file) {
  const std::size_t slash = file.name.rfind('/');
  by_name_[file.name] = all_.size();
  if (slash != std::string::npos) by_name_[file.name.substr(slash + 1)] = all_.size();
  all_.push_back(std::move(file));
}

const WrittenFile* WrittenFiles::find(std::string_view name) const {
  auto found = by_name_.find(name);
  if (const std::size_t slash = name.rfind('/'); found == by_name_.end() && slash != std::string_view::npos) {
    found = by_name_.find(name.substr(slash + 1));
  }
  return found == by_name_.end() ? nullptr : &all_[found->second];
}

std::string_view assigned_name(std::string_view word) noexcept {
  std::size_t end = 0;
  const auto is_name = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  while (end < word.size() && is_name(word[end])) ++end;
  if (end == 0 || (word[0] >= '0' && word[0] <= '9')) return {};
  const bool adds = word.substr(end, 2) == "+=";
  return adds || (end < word.size() && word[end] == '=') ? word.substr(0, end) : std::string_view();
}

void ShellReader::read(std::string_view text, std::size_t first_line) {
  Interpreter(variables_, visit_, files_).run(text, first_line, problems_);
}

}  // namespace quantmap
