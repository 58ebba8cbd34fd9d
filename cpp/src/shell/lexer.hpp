// Characters of a script to words in parts, operators and here-documents (Shell Command Language, 2.2 to 2.7).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quantmap/base/diagnostic.hpp"

namespace quantmap::shell {

enum class PartKind : std::uint8_t { kText, kParameter, kUnknown };

struct Part {
  PartKind kind = PartKind::kText;
  bool quoted = false;
  bool list = false;      // all items of an array
  char use = 0;           // of a parameter: one of - + = ? or 0
  std::string text;       // the text, the parameter's name, or the source of what cannot be known
  std::string other;      // the word behind `use`
  std::string index;      // of an item: KEY of ${NAME[KEY]}
  std::string source;     // as written
  bool assigned = false;  // it is part of a value, which is not split

  [[nodiscard]] bool whole() const noexcept { return quoted || assigned; }
};

struct RawWord {
  std::vector<Part> parts;
  std::size_t line = 1;
  bool is_array = false;  // NAME=( items )
  std::vector<RawWord> items;
  // The text of a word without quotes and expansions, else nothing.
  [[nodiscard]] std::string_view plain() const noexcept;
  // The parameter that a word is, in quotes or not, with nothing beside it; else null.
  [[nodiscard]] const Part* parameter() const noexcept;
};

enum class TokenKind : std::uint8_t { kWord, kOperator, kRedirection };

struct Token {
  TokenKind kind = TokenKind::kWord;
  RawWord word;      // of a redirection: its target
  std::string sign;  // of an operator or redirection
  std::string body;  // of a here-document
  std::size_t body_line = 1;
  bool literal = false;  // nothing in the here-document is expanded
};

class Lexer {
 public:
  Lexer(std::string_view text, std::size_t first_line, Diagnostics& problems)
      : text_(text), line_(first_line), problems_(problems) {}

  // The tokens up to the end of a line that nothing continues; false at the end of the text.
  bool next_line(std::vector<Token>& out);
  // Everything as it would stand in double quotes: a here-document, or what follows ${NAME:-.
  std::vector<Part> quoted_text(bool quoted);

 private:
  bool at_end() const noexcept { return at_ >= text_.size(); }
  char peek(std::size_t ahead = 0) const noexcept { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  void skip(std::size_t count);
  void fail(std::size_t place, std::string_view what);
  std::optional<bool> read_special(RawWord& word);
  bool read_word(RawWord& word);
  bool read_array(RawWord& word);
  void read_escape(RawWord& word);
  bool read_quotes(RawWord& word);
  void read_quoted_escape(RawWord& word);
  bool read_double_quotes(RawWord& word);
  void read_ansi_quotes(RawWord& word);
  bool read_dollar(RawWord& word, bool quoted);
  bool read_braces(RawWord& word, bool quoted);
  bool read_backquote(RawWord& word, bool quoted);
  std::size_t end_of_blank() const;
  std::size_t end_of_group(std::size_t from, char open, char close) const;
  bool opens_test(const std::vector<Token>& out) const;
  Token read_test();
  bool read_operator(std::vector<Token>& out);
  bool read_redirection(std::vector<Token>& out);
  void read_bodies(std::vector<Token>& out);
  void skip_line();
  void note_blank_after_backslash();
  void note_comment_after_backslash(const std::vector<Token>& before);

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_;
  Diagnostics& problems_;
  int failures_ = 0;
  bool unclosed_tests_[2] = {};  // no ]], no )) stands any more
};

}  // namespace quantmap::shell
