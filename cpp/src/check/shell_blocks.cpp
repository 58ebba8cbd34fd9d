#include "shell_blocks.hpp"

#include <algorithm>

namespace quantmap::shell {

namespace {

// Keywords that begin or end nothing whose variables count apart.
constexpr std::string_view kPassed[] = {"then", "do", "{", "}", "!", "time", "function", "coproc"};

bool begins_with(const ShellVariable& whole, const ShellVariable& start) {
  if (!whole.known || !start.known || whole.is_array != start.is_array) return false;
  if (whole.text.size() < start.text.size() || whole.items.size() < start.items.size()) return false;
  return std::equal(start.text.begin(), start.text.end(), whole.text.begin(),
                    [](const Piece& a, const Piece& b) { return a.text == b.text && a.open == b.open; }) &&
         std::equal(start.items.begin(), start.items.end(), whole.items.begin(),
                    [](const Word& a, const Word& b) { return a.text == b.text; });
}

bool same(const ShellVariable& a, const ShellVariable& b) {
  return begins_with(a, b) && begins_with(b, a) && a.more == b.more;
}

}  // namespace

Blocks::Value Blocks::value(const std::string& name) const {
  const auto found = variables_.values.find(name);
  return found == variables_.values.end() ? nullptr : found->second;
}

void Blocks::before_change(const std::string& name) {
  if (!open_.empty()) open_.back().branch.emplace(name, value(name));
}

void Blocks::end_branch() {
  Frame& frame = open_.back();
  for (const auto& [name, before] : frame.branch) {
    Change& change = frame.changes[name];
    change.before = before;
    const Value now = value(name);
    if (change.after != nullptr && now != nullptr) change.differs |= !same(*change.after, *now);
    change.after = now;
    change.adds &= before != nullptr && now != nullptr && begins_with(*now, *before);
    if (before == nullptr) {
      variables_.values.erase(name);
    } else {
      variables_.values[name] = before;
    }
  }
  frame.branch.clear();
}

void Blocks::close(Block kind) {
  if (open_.empty() || open_.back().kind != kind) return;
  end_branch();
  const Frame frame = std::move(open_.back());
  open_.pop_back();
  if (kind == Block::kSubshell) return;
  for (const auto& [name, change] : frame.changes) {
    before_change(name);
    if (change.before != nullptr && change.after != nullptr && !change.differs && same(*change.before, *change.after)) {
      continue;
    }
    auto merged = std::make_shared<ShellVariable>();
    if (change.adds) {
      *merged = *change.before;
      merged->more = true;
    } else {
      merged->known = false;
    }
    variables_.values[name] = std::move(merged);
  }
}

bool Blocks::keyword(std::string_view word) {
  if (in_pattern() && word != "esac") return false;
  if (word == "if") {
    open(Block::kBranch);
  } else if (word == "while" || word == "until") {
    open(Block::kLoop);
  } else if (word == "elif" || word == "else") {
    if (!open_.empty()) end_branch();
  } else if (word == "fi") {
    close(Block::kBranch);
  } else if (word == "done") {
    close(Block::kLoop);
  } else if (word == "esac") {
    if (!open_.empty()) open_.back().in_pattern = false;
    close(Block::kCase);
  } else {
    return std::find(std::begin(kPassed), std::end(kPassed), word) != std::end(kPassed);
  }
  return true;
}

void Blocks::sign(std::string_view sign) {
  const bool in_case = !open_.empty() && open_.back().kind == Block::kCase;
  if (sign == ")") {
    if (in_case && open_.back().in_pattern) {
      open_.back().in_pattern = false;
    } else {
      close(Block::kSubshell);
    }
  } else if (sign == "(") {
    if (!in_pattern()) open(Block::kSubshell);
  } else if (in_case && (sign == ";;" || sign == ";&" || sign == ";;&")) {
    end_branch();
    open_.back().in_pattern = true;
  }
}

}  // namespace quantmap::shell
