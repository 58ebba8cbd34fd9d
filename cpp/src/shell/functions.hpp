// Functions of a script: their bodies, kept for the calls, and the words of a call.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lexer.hpp"
#include "quantmap/shell/shell.hpp"

namespace quantmap::shell {

struct FunctionBody {
  std::vector<std::vector<Token>> lines;
  std::size_t tokens = 0;
  bool called = false;
};

class Functions {
 public:
  using Body = std::shared_ptr<FunctionBody>;

  explicit Functions(ScriptBudget& budget) : budget_(budget) {}

  // Puts away what belongs to the bodies of functions; the rest of a line is to be done now.
  std::vector<Token> keep_bodies(std::vector<Token> line);
  // The body of a function, which then counts as called; null when none has this name, or the calls so far are enough.
  Body call(std::string_view name);
  void leave() noexcept { --depth_; }
  // Functions that nothing has called, in the order of the script.
  std::vector<Body> uncalled();

 private:
  bool keep(Token& token, bool at_start);
  void finish();

  std::map<std::string, Body, std::less<>> by_name_;
  std::vector<Body> all_;
  std::string name_;  // of the function that is being read
  Body body_;         // null in front of its brace
  std::vector<Token> line_;
  std::size_t braces_ = 0;
  std::size_t depth_ = 0;
  ScriptBudget& budget_;
};

// The words behind a function's or script's name, as $1, $2, $@, $* and $#. What they were before comes back at the
// end.
class Positional {
 public:
  Positional(ShellVariables& variables, std::vector<Word> words);
  ~Positional();
  Positional(const Positional&) = delete;
  Positional& operator=(const Positional&) = delete;
  // A variable that is the function's own.
  void keep_local(const std::string& name);
  void shift(std::size_t count);
  void set(std::vector<Word> words);

 private:
  void put(const std::string& name, ShellVariable value);

  ShellVariables& variables_;
  std::vector<Word> words_;
  std::map<std::string, std::shared_ptr<const ShellVariable>> before_;
};

}  // namespace quantmap::shell
