// Splitting a line as a POSIX shell does (Shell Command Language, 2.2 Quoting), without expanding anything.
#include "quantmap/base/text.hpp"
#include "quantmap/check/check.hpp"

namespace quantmap {

namespace {

class Splitter {
 public:
  Splitter(std::string_view line, const Path& path, Diagnostics& problems)
      : line_(line), path_(path), problems_(problems) {}

  std::optional<std::vector<std::string>> run() {
    while (at_ < line_.size()) {
      const char c = line_[at_];
      bool good = true;
      if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
        end_word();
        ++at_;
      } else if (c == '#' && !in_word_) {
        at_ = std::min(line_.find('\n', at_), line_.size());
      } else if (c == '\'') {
        good = single_quotes();
      } else if (c == '"') {
        good = double_quotes();
      } else if (c == '\\') {
        escape();
      } else if (c == '|' || c == ';' || c == '<' || c == '>' || c == '(' || c == ')' || c == '`' || c == '&') {
        good = fail("a shell would act on " + quote(std::string(1, c)) + " here");
      } else if (c == '$' && at_ + 1 < line_.size() && (line_[at_ + 1] == '(' || line_[at_ + 1] == '{')) {
        good = fail("a shell would expand this");
      } else {
        add(c);
        ++at_;
      }
      if (!good) return std::nullopt;
    }
    end_word();
    return std::move(words_);
  }

 private:
  void add(char c) {
    word_ += c;
    in_word_ = true;
  }

  void end_word() {
    if (in_word_) words_.push_back(std::move(word_));
    word_.clear();
    in_word_ = false;
  }

  bool fail(const std::string& what) {
    std::size_t line = 1;
    std::size_t column = 1;
    for (const char c : line_.substr(0, at_)) {
      ++column;
      if (c == '\n') {
        ++line;
        column = 1;
      }
    }
    problems_.add(Code::kInvalidCommand, path_.str(),
                  {{"line", std::to_string(line)}, {"column", std::to_string(column)}, {"got", what}});
    return false;
  }

  bool single_quotes() {
    const std::size_t end = line_.find('\'', at_ + 1);
    if (end == std::string_view::npos) return fail("this quote is never closed");
    word_ += line_.substr(at_ + 1, end - at_ - 1);
    in_word_ = true;
    at_ = end + 1;
    return true;
  }

  bool double_quotes() {
    in_word_ = true;
    std::size_t i = at_ + 1;
    while (i < line_.size() && line_[i] != '"') {
      if (line_[i] == '\\' && i + 1 < line_.size()) {
        const char next = line_[i + 1];
        if (next == '\n') {
          i += 2;
          continue;
        }
        if (next == '$' || next == '`' || next == '"' || next == '\\') ++i;
      }
      word_ += line_[i++];
    }
    if (i >= line_.size()) return fail("this quote is never closed");
    at_ = i + 1;
    return true;
  }

  void escape() {
    if (at_ + 1 >= line_.size()) {
      ++at_;  // a lone backslash at the end: the line was to go on, and does not
    } else if (line_[at_ + 1] == '\n') {
      at_ += 2;
    } else if (line_[at_ + 1] == '\r' && at_ + 2 < line_.size() && line_[at_ + 2] == '\n') {
      at_ += 3;
    } else {
      add(line_[at_ + 1]);
      at_ += 2;
    }
  }

  std::string_view line_;
  const Path& path_;
  Diagnostics& problems_;
  std::size_t at_ = 0;
  bool in_word_ = false;
  std::string word_;
  std::vector<std::string> words_;
};

}  // namespace

std::optional<std::vector<std::string>> split_words(std::string_view line, const Path& path, Diagnostics& problems) {
  return Splitter(line, path, problems).run();
}

}  // namespace quantmap
