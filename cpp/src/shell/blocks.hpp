// Branches and loops of a script: what they assign is not certain behind them.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "quantmap/shell/shell.hpp"

namespace quantmap::shell {

enum class Block : std::uint8_t { kBranch, kLoop, kCase, kSubshell };

class Blocks {
 public:
  explicit Blocks(ShellVariables& variables) : variables_(variables) {}

  void open(Block kind) { open_.push_back({kind, kind == Block::kCase, {}, {}}); }
  void close(Block kind);
  // A keyword at the front of a command, apart from those with words of their own; false when it is none.
  bool keyword(std::string_view word);
  // An operator between commands.
  void sign(std::string_view sign);
  [[nodiscard]] bool in_pattern() const noexcept { return !open_.empty() && open_.back().in_pattern; }
  // Has to be called in front of each change of a variable.
  void before_change(const std::string& name);

 private:
  using Value = std::shared_ptr<const ShellVariable>;
  struct Change {
    Value before;
    Value after;  // of the branches that are over; null: none changed it yet
    bool differs = false;
    bool adds = true;     // each branch that changed it added to it
    bool stands = true;   // no branch put anything there that is in the script
    BranchValues either;  // what the branches made of it
  };
  struct Frame {
    Block kind;
    bool in_pattern;                      // of a case: what stands here is no command
    std::map<std::string, Value> branch;  // what this branch changed: as it was before
    std::map<std::string, Change> changes;
  };

  Value value(const std::string& name) const;
  void end_branch();

  ShellVariables& variables_;
  std::vector<Frame> open_;
};

}  // namespace quantmap::shell
