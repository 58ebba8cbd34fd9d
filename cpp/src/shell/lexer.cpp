#include "lexer.hpp"

#include <algorithm>

#include "base/letters.hpp"
#include "filled.hpp"
#include "quantmap/base/text.hpp"
#include "quantmap/catalog/codes.hpp"

namespace quantmap::shell {

namespace {

constexpr int kMostFailures = 8;  // what cannot be read costs a look to the end of the text each time
constexpr std::string_view kConditionOpeners[] = {"if", "elif", "while", "until", "then",
                                                  "do", "else", "!",     "{",     "time"};

// Behind the "> " with which a terminal shows a line that goes on: a file whose name begins with dashes nobody means
// there.
std::size_t behind_prompt(std::string_view text, std::size_t at) {
  if (text.substr(at, 1) != ">") return at;
  const std::size_t word = text.find_first_not_of(" \t", at + 1);
  return word > at + 1 && word != text.npos && text.substr(word, 2) == "--" ? word : at;
}

// ... and [options], as documentation leaves out the rest.
bool is_left_out(std::string_view word) {
  const auto is_plain = [](char c) { return is_letter(c) || c == '_' || c == '-'; };
  if (word == "...") return true;
  return word.size() > 3 && word.front() == '[' && word.back() == ']' &&
         std::all_of(word.begin() + 1, word.end() - 1, is_plain);
}

void add_text(RawWord& word, std::string_view text, bool quoted) {
  if (word.parts.empty() || word.parts.back().kind != PartKind::kText || word.parts.back().quoted != quoted) {
    word.parts.emplace_back();
    word.parts.back().quoted = quoted;
  }
  word.parts.back().text += text;
}

void add_unknown(RawWord& word, std::string_view source, bool quoted) {
  Part part;
  part.kind = PartKind::kUnknown;
  part.quoted = quoted;
  part.text = source;
  part.source = source;
  word.parts.push_back(std::move(part));
}

// Text in quotes: what others than a shell fill in there is not known.
void add_quoted(RawWord& word, std::string_view text) {
  std::size_t begin = 0;
  constexpr std::string_view kSigns = "{<_%";
  for (std::size_t at = text.find_first_of(kSigns); at != std::string_view::npos;) {
    std::size_t end = end_of_template(text, at);
    if (end == 0) end = end_of_filled(text, at);
    if (end != 0) {
      add_text(word, text.substr(begin, at - begin), true);
      add_unknown(word, text.substr(at, end - at), true);
      begin = end;
    }
    at = text.find_first_of(kSigns, end != 0 ? end : at + 1);
  }
  add_text(word, text.substr(begin), true);
}

}  // namespace

std::string_view RawWord::plain() const noexcept {
  return parts.size() == 1 && parts[0].kind == PartKind::kText && !parts[0].quoted && !is_array
             ? std::string_view(parts[0].text)
             : std::string_view();
}

const Part* RawWord::parameter() const noexcept {
  const auto is_text = [](const Part& part) { return part.kind == PartKind::kText && part.text.empty(); };
  const auto found = std::find_if_not(parts.begin(), parts.end(), is_text);
  const bool alone = found != parts.end() && std::all_of(found + 1, parts.end(), is_text);
  return alone && found->kind == PartKind::kParameter && found->use == 0 ? &*found : nullptr;
}

void Lexer::skip(std::size_t count) {
  const std::string_view passed = text_.substr(at_, count);
  line_ += static_cast<std::size_t>(std::count(passed.begin(), passed.end(), '\n'));
  at_ += passed.size();
}

void Lexer::fail(std::size_t place, std::string_view what) {
  const std::size_t before = place == 0 ? std::string_view::npos : text_.rfind('\n', place - 1);
  const std::size_t column = before == std::string_view::npos ? place : place - before - 1;
  problems_.add(Code::kInvalidCommand, "command",
                {{"line", std::to_string(line_)}, {"column", std::to_string(column + 1)}, {"got", std::string(what)}});
  ++failures_;
}

void Lexer::skip_line() { skip(std::min(text_.find('\n', at_), text_.size()) - at_); }

void Lexer::note_blank_after_backslash() {
  problems_.add(Code::kBlankAfterBackslash, "command", {{"line", std::to_string(line_)}});
}

// A comment that stands where a command goes on, with arguments below it.
void Lexer::note_comment_after_backslash(const std::vector<Token>& before) {
  if (before.empty()) return;
  const std::size_t begin = text_.find_last_not_of(" \t", at_ - 1);
  const std::size_t below = text_.find_first_not_of(" \t\r\n", std::min(text_.find('\n', at_), text_.size()));
  const bool goes_on = begin != std::string_view::npos && begin > 0 && text_[begin] == '\n' && below < text_.size();
  if (goes_on && text_[below] == '-') {
    problems_.add(Code::kCommentAfterBackslash, "command", {{"line", std::to_string(line_)}});
  }
}

// Behind a blank, or a backslash that joins this line to the next: a comment may begin there. 0 when none stands here.
std::size_t Lexer::end_of_blank() const {
  if (is_blank(peek())) return at_ + 1;
  const std::size_t ahead = peek(1) == '\r' ? 2 : 1;
  return peek() == '\\' && peek(ahead) == '\n' ? behind_prompt(text_, at_ + ahead + 1) : 0;
}

bool Lexer::next_line(std::vector<Token>& out) {
  out.clear();
  if (at_end() || failures_ >= kMostFailures) return false;
  while (!at_end()) {
    const char c = peek();
    if (const std::size_t passed = end_of_blank(); passed != 0) {
      skip(passed - at_);
    } else if (c == '\n') {
      skip(1);
      break;
    } else if (c == '#') {
      note_comment_after_backslash(out);
      skip_line();
    } else if (opens_test(out)) {
      out.push_back(read_test());
    } else if (!read_operator(out)) {
      Token token;
      token.word.line = line_;
      if (!read_word(token.word)) {
        skip_line();
        out.clear();
        return true;
      }
      if (const std::string left_out(token.word.plain()); !out.empty() && is_left_out(left_out)) {
        token.word.parts.clear();
        add_unknown(token.word, left_out, false);
      }
      if (!token.word.parts.empty()) out.push_back(std::move(token));
    }
  }
  read_bodies(out);
  return true;
}

// What stands in a test is nothing that runs.
Token Lexer::read_test() {
  bool& unclosed = unclosed_tests_[peek() == '[' ? 0 : 1];
  const std::size_t end = unclosed ? std::string_view::npos : text_.find(peek() == '[' ? "]]" : "))", at_);
  if (end == std::string_view::npos && !unclosed) fail(at_, "this test is never closed");
  unclosed = end == std::string_view::npos;  // and so is every other behind it, of which nothing more is said
  skip(end == std::string_view::npos ? 2 : end + 2 - at_);
  Token token;
  token.word.line = line_;
  add_text(token.word, "[[", false);
  return token;
}

// Whether [[ or (( stands here, at the beginning of a command.
bool Lexer::opens_test(const std::vector<Token>& out) const {
  const bool words = peek() == '[' && peek(1) == '[' && is_blank(peek(2));
  if (!words && !(peek() == '(' && peek(1) == '(')) return false;
  if (out.empty() || out.back().kind == TokenKind::kOperator) return true;
  const std::string_view before = out.back().word.plain();
  return before == "for" ||
         std::find(std::begin(kConditionOpeners), std::end(kConditionOpeners), before) != std::end(kConditionOpeners);
}

bool Lexer::read_operator(std::vector<Token>& out) {
  const char c = peek();
  if (c == '<' || c == '>' || (c == '&' && peek(1) == '>'))
    return end_of_placeholder(text_, at_) == 0 && read_redirection(out);
  constexpr std::string_view kSigns[] = {";;&", ";;", ";&", "&&", "||", "|&", ";", "&", "|", "(", ")"};
  const auto sign = std::find_if(std::begin(kSigns), std::end(kSigns),
                                 [&](std::string_view start) { return text_.substr(at_, start.size()) == start; });
  if (sign == std::end(kSigns)) return false;
  Token token;
  token.kind = TokenKind::kOperator;
  token.word.line = line_;
  token.sign = *sign;
  skip(sign->size());
  out.push_back(std::move(token));
  return true;
}

bool Lexer::read_redirection(std::vector<Token>& out) {
  constexpr std::string_view kSigns[] = {"&>>", "<<<", "<<-", "&>", "<<", ">>", "<&",
                                         ">&",  "<>",  ">|",  "<(", ">(", "<",  ">"};
  const auto sign = std::find_if(std::begin(kSigns), std::end(kSigns),
                                 [&](std::string_view start) { return text_.substr(at_, start.size()) == start; });
  if (sign->back() == '(') return false;  // the name of a pipe: a word
  Token token;
  token.kind = TokenKind::kRedirection;
  token.sign = *sign;
  skip(sign->size());
  while (is_blank(peek())) ++at_;
  token.word.line = line_;
  if (!read_word(token.word)) token.word.parts.clear();
  out.push_back(std::move(token));
  return true;
}

void Lexer::read_bodies(std::vector<Token>& out) {
  for (Token& token : out) {
    if (token.kind != TokenKind::kRedirection || (token.sign != "<<" && token.sign != "<<-")) continue;
    std::string marker;
    for (const Part& part : token.word.parts) {
      marker += part.kind == PartKind::kText ? part.text : part.source;
      token.literal |= part.quoted;
    }
    const bool strip = token.sign == "<<-";
    token.body_line = line_;
    while (!at_end()) {
      const std::size_t stop = std::min(text_.find('\n', at_), text_.size());
      std::string_view line = text_.substr(at_, stop - at_);
      skip(stop + 1 - at_);
      if (strip) line.remove_prefix(std::min(line.find_first_not_of('\t'), line.size()));
      if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
      if (line == marker) break;
      token.body += line;
      token.body += '\n';
    }
  }
}

std::vector<Part> Lexer::quoted_text(bool quoted) {
  RawWord word;
  while (!at_end()) {
    const char c = peek();
    if (c == '\\' && (peek(1) == '$' || peek(1) == '`' || peek(1) == '\\' || peek(1) == '"')) {
      add_text(word, text_.substr(at_ + 1, 1), true);
      skip(2);
    } else if (c == '$') {
      if (!read_dollar(word, quoted)) skip(text_.size());
    } else if (c == '`') {
      if (!read_backquote(word, quoted)) skip(text_.size());
    } else if (!quoted && (c == '"' || c == '\'')) {
      if (!read_quotes(word)) skip(text_.size());
    } else {
      add_text(word, text_.substr(at_, 1), quoted);
      skip(1);
    }
  }
  return std::move(word.parts);
}

// A stretch of a word that begins with a sign of its own; nothing when none stands here.
std::optional<bool> Lexer::read_special(RawWord& word) {
  const char c = peek();
  std::size_t filled = end_of_filled(text_, at_);
  if (filled == 0) filled = end_of_field(text_, at_);
  const std::size_t end = filled != 0 ? filled : end_of_template(text_, at_);
  if (end != 0) {
    add_unknown(word, text_.substr(at_, end - at_), filled != 0);
    skip(end - at_);
    return true;
  }
  if ((c == '<' || c == '>') && peek(1) == '(' && word.parts.empty()) {
    const std::size_t close = end_of_group(at_ + 2, '(', ')');
    add_unknown(word, text_.substr(at_, close - at_), true);
    skip(close - at_);
    return true;
  }
  if (c == '\'' || c == '"') return read_quotes(word);
  if (c == '$') return read_dollar(word, false);
  if (c == '`') return read_backquote(word, false);
  if (c != '\\') return std::nullopt;
  read_escape(word);
  return true;
}

bool Lexer::read_word(RawWord& word) {
  const auto ends = [](char c) { return std::string_view(" \t\r\n;&|()<>").find(c) != std::string_view::npos; };
  const auto special = [](char c) { return std::string_view("\\'\"$`{_%").find(c) != std::string_view::npos; };
  while (!at_end()) {
    const char c = peek();
    if (const auto good = read_special(word)) {
      if (!*good) return false;
    } else if (c == '(' && !word.plain().empty() && word.plain().back() == '=') {
      return read_array(word);
    } else if (ends(c)) {
      const std::string_view digits = word.plain();
      const bool number = std::all_of(digits.begin(), digits.end(), is_digit);
      if ((c == '<' || c == '>') && number) word.parts.clear();  // of what is redirected
      return true;
    } else {
      std::size_t end = at_ + 1;
      while (end < text_.size() && !ends(text_[end]) && !special(text_[end])) ++end;
      add_text(word, text_.substr(at_, end - at_), false);
      at_ = end;
    }
  }
  return true;
}

bool Lexer::read_array(RawWord& word) {
  word.is_array = true;
  skip(1);
  while (!at_end() && peek() != ')') {
    const char c = peek();
    if (const std::size_t end = c == '\n' ? at_ + 1 : end_of_blank(); end != 0) {
      skip(end - at_);
    } else if (c == '#') {
      skip_line();
    } else if (std::string_view(";&|(<>").find(c) != std::string_view::npos && end_of_placeholder(text_, at_) == 0) {
      skip(1);
    } else {
      RawWord item;
      item.line = line_;
      if (!read_word(item)) return false;
      if (!item.parts.empty()) word.items.push_back(std::move(item));
    }
  }
  skip(1);
  return true;
}

void Lexer::read_escape(RawWord& word) {
  std::size_t blank = at_ + 1;
  while (blank < text_.size() && is_blank(text_[blank])) ++blank;
  const bool is_last = blank < text_.size() && text_[blank] == '\n';
  const bool windows = blank == at_ + 2 && text_[at_ + 1] == '\r';
  if (peek(1) == '\n' || (is_last && windows)) {
    skip(blank + 1 - at_);  // the line goes on
  } else if (is_last) {
    note_blank_after_backslash();
    skip(blank - at_);
  } else if (at_ + 1 >= text_.size()) {
    ++at_;  // a lone backslash at the end: the line was to go on, and does not
  } else {
    add_text(word, text_.substr(at_ + 1, 1), true);
    skip(2);
  }
}

bool Lexer::read_quotes(RawWord& word) {
  if (peek() == '"') return read_double_quotes(word);
  const std::size_t end = text_.find('\'', at_ + 1);
  if (end == std::string_view::npos) {
    fail(at_, "this quote is never closed");
    return false;
  }
  add_quoted(word, text_.substr(at_ + 1, end - at_ - 1));
  skip(end + 1 - at_);
  return true;
}

// A backslash between double quotes.
void Lexer::read_quoted_escape(RawWord& word) {
  const char next = peek(1);
  if (std::string_view("$`\"\\").find(next) != std::string_view::npos) {
    add_text(word, text_.substr(at_ + 1, 1), true);
  } else if (next != '\n') {
    add_text(word, text_.substr(at_, 2), true);
  }
  skip(2);
}

bool Lexer::read_double_quotes(RawWord& word) {
  const std::size_t start = at_;
  const std::size_t start_line = line_;
  add_text(word, "", true);
  ++at_;
  while (!at_end() && peek() != '"') {
    const char c = peek();
    if (c == '$' || c == '`') {
      if (!(c == '$' ? read_dollar(word, true) : read_backquote(word, true))) return false;
    } else if (c == '\\' && at_ + 1 < text_.size()) {
      read_quoted_escape(word);
    } else if (const std::size_t filled = end_of_template(text_, at_); filled != 0) {
      add_unknown(word, text_.substr(at_, filled - at_), true);
      skip(filled - at_);
    } else {
      const std::size_t end = std::min(text_.find_first_of("\"\\$`{", at_ + 1), text_.size());
      add_quoted(word, text_.substr(at_, end - at_));
      skip(end - at_);
    }
  }
  if (at_end()) {
    at_ = start;
    line_ = start_line;
    fail(at_, "this quote is never closed");
    return false;
  }
  ++at_;
  return true;
}

}  // namespace quantmap::shell
