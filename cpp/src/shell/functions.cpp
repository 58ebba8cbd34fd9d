#include "functions.hpp"

#include <algorithm>

namespace quantmap::shell {

namespace {

constexpr std::size_t kDeepestCall = 12;
constexpr std::size_t kCallCost = 20;  // in tokens: a call sets its words
constexpr std::size_t kMostWords = 9;  // $1 to $9
constexpr std::string_view kOpeners[] = {"then", "do", "else", "{", "}", "!", "fi", "done", "esac", "time"};

std::string_view plain_word(const Token& token) {
  return token.kind == TokenKind::kWord ? token.word.plain() : std::string_view();
}

// Whether a command begins behind this token.
bool ends_command(const Token& token) {
  if (token.kind == TokenKind::kOperator) return true;
  return std::find(std::begin(kOpeners), std::end(kOpeners), plain_word(token)) != std::end(kOpeners);
}

bool is_sign(const std::vector<Token>& line, std::size_t at, std::string_view sign) {
  return at < line.size() && line[at].kind == TokenKind::kOperator && line[at].sign == sign;
}

// The tokens that name a function here, as NAME ( ) or function NAME [( )]; 0 when none is named.
std::size_t header_size(const std::vector<Token>& line, std::size_t at) {
  const std::string_view word = plain_word(line[at]);
  if (word.empty()) return 0;
  const std::size_t behind = at + (word == "function" ? 2 : 1);
  const bool signs = is_sign(line, behind, "(") && is_sign(line, behind + 1, ")");
  if (word == "function" && (behind > line.size() || plain_word(line[at + 1]).empty())) return 0;
  if (word != "function" && !signs) return 0;
  return behind - at + (signs ? 2 : 0);
}

}  // namespace

void Functions::finish() {
  if (body_ != nullptr) {
    if (!line_.empty()) body_->lines.push_back(std::move(line_));
    all_.push_back(body_);
    by_name_[name_] = std::move(body_);
  }
  line_.clear();
  body_ = nullptr;
  name_.clear();
}

// Takes a token of a function; false when it is none, since no brace follows the name.
bool Functions::keep(Token& token, bool at_start) {
  const std::string_view word = plain_word(token);
  if (body_ == nullptr) {
    if (word != "{") {
      name_.clear();
      return false;
    }
    body_ = std::make_shared<FunctionBody>();
    braces_ = 1;
    return true;
  }
  if (at_start && word == "{") ++braces_;
  if (at_start && word == "}" && --braces_ == 0) {
    finish();
    return true;
  }
  ++body_->tokens;
  line_.push_back(std::move(token));
  return true;
}

std::vector<Token> Functions::keep_bodies(std::vector<Token> line) {
  std::vector<Token> rest;
  bool at_start = true;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const bool begins = at_start;
    at_start = ends_command(line[i]);
    if (!name_.empty() && keep(line[i], begins)) continue;
    const std::size_t header = begins ? header_size(line, i) : 0;
    if (header == 0) {
      rest.push_back(std::move(line[i]));
      continue;
    }
    name_ = plain_word(line[i]) == "function" ? plain_word(line[i + 1]) : plain_word(line[i]);
    i += header - 1;
    at_start = true;
  }
  if (body_ != nullptr && !line_.empty()) body_->lines.push_back(std::exchange(line_, {}));
  return rest;
}

Functions::Body Functions::call(std::string_view name) {
  const auto found = by_name_.find(name);
  if (found == by_name_.end() || depth_ >= kDeepestCall) return nullptr;
  const std::size_t cost = found->second->tokens + kCallCost;
  if (cost > budget_.tokens) return nullptr;
  budget_.tokens -= cost;
  found->second->called = true;
  ++depth_;
  return found->second;
}

std::vector<Functions::Body> Functions::uncalled() {
  finish();
  std::vector<Body> out;
  for (const Body& body : all_) {
    if (!std::exchange(body->called, true)) out.push_back(body);
  }
  return out;
}

Positional::Positional(ShellVariables& variables, std::vector<Word> words) : variables_(variables) {
  set(std::move(words));
}

Positional::~Positional() {
  for (auto& [name, value] : before_) {
    if (value == nullptr) {
      variables_.values.erase(name);
    } else {
      variables_.values[name] = std::move(value);
    }
  }
}

void Positional::keep_local(const std::string& name) {
  const auto found = variables_.values.find(name);
  before_.emplace(name, found == variables_.values.end() ? nullptr : found->second);
}

void Positional::put(const std::string& name, ShellVariable value) {
  keep_local(name);
  variables_.values[name] = std::make_shared<const ShellVariable>(std::move(value));
}

void Positional::set(std::vector<Word> words) {
  words_ = std::move(words);
  ShellVariable list;
  ShellVariable all;
  bool certain = true;
  for (std::size_t i = 0; i < std::max(words_.size(), kMostWords); ++i) {
    ShellVariable one;
    if (i < words_.size()) {
      const Word& word = words_[i];
      certain = certain && !word.many;
      one.text = {{word.text, word.open}};
      if (i > 0) all.text.push_back({" ", false});
      all.text.push_back({word.text, word.open});
      list.items.push_back(word);
    }
    one.known = certain;
    if (i < kMostWords) put(std::to_string(i + 1), std::move(one));
  }
  list.is_array = true;
  ShellVariable count;
  count.text = {{std::to_string(words_.size()), false}};
  count.known = certain;
  put("@", std::move(list));
  put("*", std::move(all));
  put("#", std::move(count));
}

void Positional::shift(std::size_t count) {
  if (std::any_of(words_.begin(), words_.end(), [](const Word& word) { return word.many; })) return;
  words_.erase(words_.begin(), words_.begin() + static_cast<std::ptrdiff_t>(std::min(count, words_.size())));
  set(std::move(words_));
}

}  // namespace quantmap::shell
