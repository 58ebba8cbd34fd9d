// Commands of a script one after another: what they assign, write and start.
#include "quantmap/shell/shell.hpp"

#include <algorithm>
#include <deque>
#include <set>
#include <span>
#include <utility>

#include "base/letters.hpp"
#include "blocks.hpp"
#include "expand.hpp"
#include "files.hpp"
#include "functions.hpp"
#include "items.hpp"
#include "lexer.hpp"
#include "simple.hpp"

namespace quantmap {

namespace {

using shell::Blocks;
using shell::Expander;
using shell::Functions;
using shell::Lexer;
using shell::Positional;
using shell::RawWord;
using shell::Simple;
using shell::Token;
using shell::TokenKind;

// Builtins whose words are assignments.
constexpr std::string_view kDeclaring[] = {"export", "declare", "typeset", "local", "readonly"};

bool is_one_of(std::string_view word, std::span<const std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Builtins and programs that start the command behind them.
constexpr std::string_view kPassingOn[] = {"exec", "eval", "nohup", "setsid", "sudo", "time"};
constexpr std::string_view kTests[] = {"[[", "[", "test"};
constexpr std::string_view kPassing[] = {"cat", "echo", "printf", "tee"};  // they write what they read or are given

class Interpreter {
 public:
  Interpreter(ShellVariables& variables, const CommandVisitor& visit, const WordsTest& takes_turns, WrittenFiles& files,
              ScriptBudget& budget)
      : variables_(variables),
        expander_(variables, budget),
        blocks_(variables),
        visit_(visit),
        takes_turns_(takes_turns),
        files_(files),
        functions_(budget) {}

  void run(std::string_view text, std::size_t first_line, Diagnostics& problems) {
    Lexer lexer(text, first_line, problems);
    std::vector<Token> tokens;
    while (lexer.next_line(tokens)) line(functions_.keep_bodies(std::move(tokens)));
    for (const auto& body : functions_.uncalled()) lines_of(*body);
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
    shell::add_turns(items, value);
    set(name, std::move(value));
  }

  void set(const std::string& name, ShellVariable value) {
    blocks_.before_change(name);
    expander_.set(name, std::move(value));
  }

  // NAME=value, NAME+=value, NAME=(items): false when the word is none of them.
  bool assign(const RawWord& raw, bool exported) {
    if (!shell::is_assignment(raw)) return false;
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
    if (!expander_.spend(shell::size_of(value))) value = shell::unknown_value();
    set(name, std::move(value));
    if (exported) note_export(name);
    return true;
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
    while (at < simple.words.size() && shell::is_assignment(simple.words[at]->word)) ++at;
    const std::string_view first = at < simple.words.size() ? simple.words[at]->word.plain() : std::string_view();
    if (at == simple.words.size() || is_one_of(first, kDeclaring)) {
      declare(simple, at);
      return;
    }
    if (each_of_branches(simple, at) || set_item(simple)) return;
    command.line = simple.words.front()->word.line;
    for (std::size_t i = 0; i < at; ++i) {
      const RawWord& raw = simple.words[i]->word;
      const std::string name(assigned_name(raw.parts[0].text));
      command.assignments.emplace_back(name, shell::joined(value_text(raw, name.size() + 1), raw.line));
    }
    for (; at < simple.words.size(); ++at) expander_.expand(simple.words[at]->word, command.words);
    if (each_turn(simple, command)) return;
    builtin(first, command.words);
    write_files(simple, command);
    if (!command.words.empty() && !call(command)) started_ += visit_(command) ? 1U : 0U;
  }

  // A function of the script, with the words of this call; false when it is none, or starts nothing by itself.
  bool call(const Command& command) {
    if (command.words.front().open || command.words.front().quoted) return false;
    const auto body = functions_.call(command.words.front().text);
    if (body == nullptr) return false;
    const std::size_t before = started_;
    std::vector<std::string> set_apart;  // variables for this call alone
    Positional words(variables_, {command.words.begin() + 1, command.words.end()});
    for (const auto& [name, value] : command.assignments) {
      words.keep_local(name);
      if (exported_.count(name) == 0) set_apart.push_back(name);
      note_export(name);
      ShellVariable given;
      given.text = {{value.text, value.open}};
      expander_.set(name, std::move(given));
    }
    Positional* const outer = std::exchange(positional_, &words);
    const bool tested = tested_;
    lines_of(*body);
    positional_ = outer;
    tested_ = tested;
    functions_.leave();
    for (const std::string& name : set_apart) {
      exported_.erase(name);
      std::erase(variables_.exported, name);
    }
    return started_ != before;
  }

  void lines_of(const shell::FunctionBody& body) {
    for (const std::vector<Token>& tokens : body.lines) line(tokens);
  }

  // Builtins that change what the script knows.
  void builtin(std::string_view name, const std::vector<Word>& words) {
    if (name == "unset" || name == "read") forget(words);
    if (name == "shift" || name == "set") reposition(words);
  }

  // shift, and set -- WORDS
  void reposition(const std::vector<Word>& words) {
    if (positional_ == nullptr) return;
    if (words.front().text == "set") {
      if (words.size() > 1 && words[1].text == "--") positional_->set({words.begin() + 2, words.end()});
    } else {
      const bool counted = words.size() > 1 && words[1].text.size() == 1 && words[1].text[0] >= '1';
      positional_->shift(counted ? static_cast<std::size_t>(words[1].text[0] - '0') : 1);
    }
  }

  // A command that stands in a variable, which branches set apart: each of them is one; false when it is none.
  bool each_of_branches(const Simple& simple, std::size_t at) {
    while (at < simple.words.size() && is_one_of(simple.words[at]->word.plain(), kPassingOn)) ++at;
    const shell::Part* part = at < simple.words.size() ? simple.words[at]->word.parameter() : nullptr;
    const auto found = part == nullptr ? variables_.values.end() : variables_.values.find(part->text);
    if (found == variables_.values.end()) return false;
    const auto kept = found->second;
    if (kept->known || kept->either.empty()) return false;
    for (const auto& value : kept->either) {
      variables_.values[part->text] = value;
      execute(simple);
    }
    variables_.values[part->text] = kept;
    return true;
  }

  // A launch that a loop starts with each of some values; false when it is none.
  bool each_turn(const Simple& simple, const Command& command) {
    const std::string name = shell::turning_name(simple.words, variables_);
    if (name.empty() || !takes_turns_ || !takes_turns_(command.words)) return false;
    const auto kept = variables_.values[name];
    if (turns_ + kept->either.size() > shell::kMostTurns) return false;
    turns_ += kept->either.size();
    for (const auto& value : kept->either) {
      variables_.values[name] = value;
      execute(simple);
    }
    variables_.values[name] = kept;
    return true;
  }

  // NAME[KEY]=value: false when a command is anything else.
  bool set_item(const Simple& simple) {
    const RawWord& raw = simple.words.front()->word;
    const auto [name, prefix] = shell::assigned_item(raw);
    if (name.empty()) return false;
    const ShellVariable* old = expander_.find(name);
    ShellVariable value = prefix == 0 ? shell::unknown_value() : ShellVariable();
    if (prefix != 0) {
      if (old != nullptr) value = *old;
      value.is_array = true;
      value.items.push_back(shell::joined(value_text(raw, prefix), raw.line));
      value.items.back().text.insert(0, raw.parts[0].text.substr(name.size(), prefix - name.size()));
    }
    set(name, expander_.spend(shell::size_of(value)) ? std::move(value) : shell::unknown_value());
    return true;
  }

  // Assignments alone, or behind `export` and its kin.
  void declare(const Simple& simple, std::size_t at) {
    const std::string_view by = at < simple.words.size() ? simple.words[at]->word.plain() : std::string_view();
    bool exported = by == "export";
    for (std::size_t i = 0; i < simple.words.size(); ++i) {
      const RawWord& raw = simple.words[i]->word;
      const std::string_view plain = raw.plain();
      if (plain.size() > 1 && plain[0] == '-' && plain.find('x') != std::string_view::npos) exported = true;
      if (by == "local" && positional_ != nullptr && shell::is_assignment(raw)) {
        positional_->keep_local(std::string(assigned_name(raw.parts[0].text)));
      }
      if (assign(raw, exported) || i <= at) continue;
      if (exported && !plain.empty() && plain[0] != '-') note_export(std::string(plain));
    }
  }

  void forget(const std::vector<Word>& words) {
    const bool unsets = !words.empty() && words.front().text == "unset";
    for (const Word& word : words) {
      if (word.text.empty() || word.text[0] == '-' || variables_.values.count(word.text) == 0) continue;
      set(word.text, shell::unknown_value());
      if (unsets && exported_.erase(word.text) > 0) std::erase(variables_.exported, word.text);
    }
  }

  // Files that here-documents, or words that a program prints, are written to.
  void write_files(const Simple& simple, Command& command) {
    std::size_t at = 0;
    while (at + 1 < command.words.size() && is_one_of(command.words[at].text, kPassingOn)) ++at;
    const std::string_view program = command.words.empty() ? std::string_view() : command.words[at].text;
    auto [input, target] = redirected(simple);
    const bool prints = program == "echo" || program == "printf";
    if (input == nullptr && prints) input = &inputs_.emplace_back(shell::printed(command));
    if (program == "tee")
      target = shell::last_name({command.words.begin() + static_cast<std::ptrdiff_t>(at), command.words.end()});
    if (input != nullptr && !target.empty())
      files_.add({target, input->text, input->line, input->open}, shell::writes_behind(simple));
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
  const WordsTest& takes_turns_;
  WrittenFiles& files_;
  std::deque<WrittenFile> inputs_;  // of commands; a pipe hands them on
  const WrittenFile* piped_ = nullptr;
  bool tested_ = false;
  Functions functions_;
  Positional* positional_ = nullptr;  // of the call that is read
  std::size_t started_ = 0;           // commands that the visitor looks for
  std::size_t turns_ = 0;             // of loops, that launches were read again for
  std::set<std::string> exported_;
};

}  // namespace

std::string_view assigned_name(std::string_view word) noexcept {
  std::size_t end = 0;
  while (end < word.size() && is_name(word[end])) ++end;
  if (end == 0 || is_digit(word[0])) return {};
  const bool adds = word.substr(end, 2) == "+=";
  return adds || (end < word.size() && word[end] == '=') ? word.substr(0, end) : std::string_view();
}

void ShellReader::read(std::string_view text, std::size_t first_line) {
  Interpreter(variables_, visit_, each_turn_, files_, budget_).run(text, first_line, problems_);
}

}  // namespace quantmap
