#include "quantmap/base/diagnostic.hpp"

#include <algorithm>

#include "base/letters.hpp"
#include "quantmap/base/text.hpp"

namespace quantmap {

namespace {

constexpr std::size_t kMostText = 2000;      // bytes of one value shown in a message
constexpr std::size_t kMostProblems = 1000;  // a hostile input may hold a million; nobody reads more than this

}  // namespace

const DiagnosticText& Diagnostic::text() const noexcept {
  return catalog().diagnostics[static_cast<std::size_t>(code)];
}

std::string Diagnostic::message() const { return fill(text().message, context); }
std::string Diagnostic::hint() const { return fill(text().hint, context); }

std::string fill(std::string_view text, const Context& context) {
  std::string out;
  while (!text.empty()) {
    const std::size_t open = text.find('{');
    const std::size_t close = open == std::string_view::npos ? open : text.find('}', open);
    if (close == std::string_view::npos) break;
    out += text.substr(0, open);
    const std::string_view name = text.substr(open + 1, close - open - 1);
    for (const auto& [key, value] : context) {
      if (key == name) {
        out += one_line(value, kMostText);
        break;
      }
    }
    text.remove_prefix(close + 1);
  }
  out += text;
  return out;
}

void Diagnostics::add(Code code, std::string path, Context context) {
  if (items_.size() < kMostProblems) items_.push_back({code, std::move(path), std::move(context)});
}

void Diagnostics::add_once(Code code, std::string path, Context context) {
  const bool known = std::any_of(items_.begin(), items_.end(),
                                 [&](const Diagnostic& item) { return item.code == code && item.path == path; });
  if (!known) add(code, std::move(path), std::move(context));
}

void Diagnostics::append(const Diagnostics& other) {
  items_.insert(items_.end(), other.items_.begin(), other.items_.end());
}

bool Diagnostics::has_errors() const noexcept {
  return std::any_of(items_.begin(), items_.end(),
                     [](const Diagnostic& item) { return item.text().severity == Severity::kError; });
}

std::string key_step(std::string_view key) {
  const bool plain = !key.empty() && key.size() <= 60 &&
                     std::all_of(key.begin(), key.end(), [](char c) { return is_alnum_or(c, "_-"); });
  return plain ? "." + std::string(key) : "[" + quote(key) + "]";
}

std::string Path::str() const {
  if (parent_ == nullptr) return std::string(text_);
  return parent_->str() + (is_index_ ? "[" + std::to_string(index_) + "]" : key_step(text_));
}

}  // namespace quantmap
