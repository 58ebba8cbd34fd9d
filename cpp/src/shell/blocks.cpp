#include "blocks.hpp"

#include <algorithm>

#include "expand.hpp"

namespace quantmap::shell {

namespace {

// Keywords that begin or end nothing whose variables count apart.
constexpr std::string_view kPassed[] = {"then", "do", "{", "}", "!", "time", "function", "coproc"};

constexpr std::size_t kMostBranches = 4;  // whose values are kept

// Whether what is written is the beginning of something else, in however many pieces either is kept.
bool begins_with(const std::vector<Piece>& whole, const std::vector<Piece>& start) {
  std::size_t piece = 0;
  std::size_t at = 0;
  for (const Piece& part : start) {
    std::string_view rest = part.text;
    while (!rest.empty()) {
      if (piece == whole.size()) return false;
      const std::string_view here = std::string_view(whole[piece].text).substr(at);
      const std::size_t size = std::min(here.size(), rest.size());
      const bool alike = whole[piece].open == part.open && here.substr(0, size) == rest.substr(0, size);
      if (size > 0 && !alike) return false;
      rest.remove_prefix(size);
      at += size;
      if (at == whole[piece].text.size()) {
        ++piece;
        at = 0;
      }
    }
  }
  return true;
}

bool begins_with(const ShellVariable& whole, const ShellVariable& start) {
  if (!whole.known || !start.known || whole.is_array != start.is_array) return false;
  if (whole.items.size() < start.items.size() || !begins_with(whole.text, start.text)) return false;
  return std::equal(start.items.begin(), start.items.end(), whole.items.begin(),
                    [](const Word& a, const Word& b) { return a.text == b.text; });
}

bool is_default(const ShellVariable& value) {
  return std::any_of(value.text.begin(), value.text.end(), [](const Piece& piece) { return piece.by_default; });
}

bool same(const ShellVariable& a, const ShellVariable& b) {
  return begins_with(a, b) && begins_with(b, a) && a.more == b.more && is_default(a) == is_default(b);
}

// Whether a value is wholly what somebody else gives: $2, $OPTARG, the output of a command.
bool is_given(const ShellVariable& value) {
  const auto says_nothing = [](const Piece& piece) { return piece.open || piece.text.empty(); };
  return value.known && !value.is_array && !value.more && !value.text.empty() &&
         std::all_of(value.text.begin(), value.text.end(), says_nothing);
}

// Whether a value that was set before is what stands where nobody gives another, as an option of the script would.
bool stands_beside(const ShellVariable& before, const ShellVariable& now) {
  const auto is_known = [](const Piece& piece) { return !piece.open; };
  const bool whole = before.known && !before.is_array && !before.more && !joined(before.text, 0).text.empty() &&
                     std::all_of(before.text.begin(), before.text.end(), is_known);
  return whole && (is_given(now) || (is_default(now) && begins_with(now, before) && begins_with(before, now)));
}

// A value with the mark that whoever starts the script may give another.
std::shared_ptr<ShellVariable> as_default(const ShellVariable& value) {
  auto out = std::make_shared<ShellVariable>(value);
  for (Piece& piece : out->text) piece.by_default = true;
  return out;
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
    if (now != nullptr && now->known && change.either.size() < kMostBranches) change.either.push_back(now);
    change.adds &= before != nullptr && now != nullptr && begins_with(*now, *before);
    change.stands &= before != nullptr && now != nullptr && stands_beside(*before, *now);
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
    if (change.stands) {
      merged = as_default(*change.before);
    } else if (change.adds) {
      *merged = *change.before;
      merged->more = true;
      merged->either.insert(merged->either.end(), change.either.begin(), change.either.end());
    } else {
      merged->known = false;
      merged->either = change.either;
      if (change.before != nullptr && change.before->known) merged->either.push_back(change.before);
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
