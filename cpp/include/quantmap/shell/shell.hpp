// A shell script read as far as its text tells: simple commands with their words expanded, and the files that it
// writes.
//
// Nothing is run. Every command is read once, whatever branch it stands in; one of a function with the words of each
// call, or once when nothing calls it. What only a shell could know (a variable that the script does not set, a
// command's output) stays as it is written, and its word is open.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "quantmap/base/diagnostic.hpp"

namespace quantmap {

// A stretch of text that is known, or the source of one that is not.
struct Piece {
  std::string text;
  bool open = false;
  bool by_default = false;  // whoever starts the script may give another
};

struct ShellVariable;
using BranchValues = std::vector<std::shared_ptr<const ShellVariable>>;

struct Word {
  std::string text;
  std::size_t line = 1;
  bool open = false;        // some of it is not in the script
  bool by_default = false;  // some of it is what stands where whoever starts the script gives no other
  bool many = false;        // may stand for any number of words
  bool quoted = false;      // some of it stands in quotes
  BranchValues either;      // of one that is open: what branches made of its variable
};

// What a script makes of a variable.
struct ShellVariable {
  std::vector<Piece> text;  // of a scalar
  std::vector<Word> items;  // of an array
  bool is_array = false;
  bool known = true;
  bool more = false;    // something may have been added to it
  bool each = false;    // a loop gives it each value of `either`
  BranchValues either;  // of one that is not known, or may have more: what branches made of it
};

// Variables by name. Values are shared between the moments of a script, so that a copy costs little.
struct ShellVariables {
  std::map<std::string, std::shared_ptr<const ShellVariable>, std::less<>> values;
  std::vector<std::string> exported;  // names, in order
};

struct WrittenFile {
  std::string name;  // empty: a program reads it as it is written
  std::string text;
  std::size_t line = 1;  // of its first line
  bool open = false;     // a shell fills in some of it
  bool is_read = false;  // as a script, where it is run
};

// Files that a script writes; of a name that is written again the last.
class WrittenFiles {
 public:
  using File = std::shared_ptr<WrittenFile>;
  // `more`: behind what stands there.
  void add(WrittenFile file, bool more = false);
  // By its name as given, else by the last part of its path, which is what a container sees of it; null: there is none.
  [[nodiscard]] File find(std::string_view name) const;
  [[nodiscard]] const std::vector<File>& all() const noexcept { return all_; }

 private:
  std::vector<File> all_;
  std::map<std::string, std::size_t, std::less<>> by_name_;
};

struct Command {
  std::vector<Word> words;
  std::vector<std::pair<std::string, Word>> assignments;  // in front of the words
  std::size_t line = 1;
  const WrittenFile* input = nullptr;  // a here-document that it reads
  const ShellVariables* variables = nullptr;
  WrittenFiles* files = nullptr;  // written so far
};

// Whether a command starts something that is looked for.
using CommandVisitor = std::function<bool(const Command&)>;

// Whether the words of a command are such that it counts with which of a loop's values it is started.
using WordsTest = std::function<bool(const std::vector<Word>&)>;

// Largest script, and deepest nesting of scripts in scripts, that are read.
inline constexpr std::size_t kMaxScriptBytes = 8'000'000;
inline constexpr std::size_t kMaxScriptDepth = 6;

// What reading one text may cost, with all scripts inside of it: a script that doubles a variable again and again gets
// unknown values, and functions that call each other without end are read no further.
struct ScriptBudget {
  std::size_t bytes = 4 * kMaxScriptBytes;  // that expanding may write
  std::size_t tokens = 100'000;             // that calls of functions may read again
};

// What a script does, command by command. `problems` gets what no shell could read, with its place; reading goes on
// behind it.
class ShellReader {
 public:
  ShellReader(ShellVariables variables, WrittenFiles& files, CommandVisitor visit, Diagnostics& problems,
              ScriptBudget& budget)
      : variables_(std::move(variables)),
        files_(files),
        visit_(std::move(visit)),
        problems_(problems),
        budget_(budget) {}
  // Commands of such words are read once for each value of a loop; without this all are read once.
  ShellReader& each_turn_of(WordsTest test) {
    each_turn_ = std::move(test);
    return *this;
  }
  void read(std::string_view text, std::size_t first_line);

 private:
  ShellVariables variables_;
  WrittenFiles& files_;
  CommandVisitor visit_;
  WordsTest each_turn_;
  Diagnostics& problems_;
  ScriptBudget& budget_;
};

// "NAME" of NAME=..., or NAME+=...; empty when a word does not begin so.
[[nodiscard]] std::string_view assigned_name(std::string_view word) noexcept;

}  // namespace quantmap
