// Words in parts to words, by what a script has said of its variables so far.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lexer.hpp"
#include "quantmap/shell/shell.hpp"

namespace quantmap::shell {

// Variables whose value is not known keep their source.
class Expander {
 public:
  Expander(ShellVariables& variables, ScriptBudget& budget) : variables_(variables), budget_(budget) {}

  [[nodiscard]] const ShellVariable* find(std::string_view name) const;
  void set(const std::string& name, ShellVariable value);

  // The words that a word becomes.
  void expand(const RawWord& raw, std::vector<Word>& out);
  // What a word becomes where nothing is split: a value, a file's name, a here-document.
  std::vector<Piece> text_of(const std::vector<Part>& parts, std::size_t depth = 0);
  bool spend(std::size_t bytes) noexcept;

 private:
  struct Field {
    Word word;
    bool any = false;      // it exists, be it empty
    bool certain = false;  // it has text that is known, or quotes
  };
  void add_part(const Part& part, Field& field, std::vector<Word>& out, std::size_t depth);
  void add_parameter(const Part& part, Field& field, std::vector<Word>& out, std::size_t depth);
  bool pieces_of(const Part& part, const ShellVariable* value, std::vector<Piece>& made, bool plain);
  bool add_pieces(const Part& part, std::vector<Piece>& text, std::size_t depth);
  void add_items(const ShellVariable& value, const Part& part, Field& field, std::vector<Word>& out);
  void add_split(const std::vector<Piece>& text, Field& field, std::vector<Word>& out);
  void add_whole(const std::vector<Piece>& text, Field& field);
  static void add_open(std::string_view source, bool quoted, bool list, Field& field);
  void add_branches(const Part& part, Field& field) const;
  static void finish(Field& field, std::vector<Word>& out);
  const ShellVariable* item_of(const Part& part, std::vector<Piece>& made, bool& plain) const;
  const ShellVariable* value_of(const Part& part, std::vector<Piece>& made, bool& plain, std::size_t depth);

  ShellVariables& variables_;
  ScriptBudget& budget_;
};

[[nodiscard]] Word joined(const std::vector<Piece>& text, std::size_t line);

}  // namespace quantmap::shell
