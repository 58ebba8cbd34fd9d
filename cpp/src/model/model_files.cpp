#include "model/model_files.hpp"

#include <algorithm>

#include "base/letters.hpp"
#include "quantmap/base/json_io.hpp"
#include "quantmap/base/text.hpp"
#include "quantmap/catalog/codes.hpp"

namespace quantmap {

namespace {

// Python writes NaN and Infinity into JSON, and the engines read them back: null stands for both.
std::string without_infinities(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '\\' && i + 1 < text.size()) {
      out += c;
      out += text[++i];
      continue;
    }
    if (c == '"') quoted = !quoted;
    bool replaced = false;
    for (const std::string_view word : {"NaN", "Infinity", "-Infinity"}) {
      if (quoted || replaced || text.compare(i, word.size(), word) != 0) continue;
      if (i > 0 && (is_letter(text[i - 1]) || text[i - 1] == '-')) continue;
      out += "null";
      i += word.size() - 1;
      replaced = true;
    }
    if (!replaced) out += c;
  }
  return out;
}

}  // namespace

bool OpenFile::read(std::uint64_t offset, char* out, std::size_t count) {
  if (offset > size() || count > size() - offset) return false;
  const std::size_t got = file_->read(offset, out, count);
  account_->bytes_read += got;
  return got == count;
}

std::optional<OpenFile> ModelFiles::open(const std::string& name, Diagnostics& problems) {
  Unopened why;
  std::unique_ptr<StoredFile> file = store_.open(name, why);
  if (file == nullptr && why.leaves_folder) {
    problems.add(Code::kLeavesFolder, at_.str(), {{"value", quote(name)}});
  } else if (file == nullptr) {
    problems.add(Code::kUnreadableFile, at_.str(), {{"value", quote(name)}, {"reason", std::move(why.reason)}});
  }
  if (file == nullptr) return std::nullopt;
  account_.push_back(std::make_unique<FileRead>(FileRead{name, file->size(), 0}));
  return OpenFile(std::move(file), *account_.back());
}

std::optional<std::string> ModelFiles::text(const std::string& name, std::uint64_t limit, Diagnostics& problems) {
  std::optional<OpenFile> file = open(name, problems);
  if (!file) return std::nullopt;
  if (file->size() > limit) {
    problems.add(Code::kOverLimit, at_.str(),
                 {{"got", quote(name) + " with " + std::to_string(file->size()) + " bytes"},
                  {"known", std::to_string(limit) + " bytes"}});
    return std::nullopt;
  }
  std::string out(static_cast<std::size_t>(file->size()), '\0');
  if (!file->read(0, out.data(), out.size())) {
    report_bad_file(problems, at_, name, 0, "it got shorter while it was read");
    return std::nullopt;
  }
  return out;
}

std::optional<Value> ModelFiles::json(const std::string& name, Diagnostics& problems) {
  if (!has(name)) return std::nullopt;
  const std::optional<std::string> content = text(name, kMostJson, problems);
  if (!content) return std::nullopt;
  const Path at(at_, name);
  std::optional<Value> value = read_json(without_infinities(*content), at, problems);
  if (value && !value->is_object()) {
    problems.add(Code::kNotAnObject, at.str(), {{"got", value->describe()}});
    return std::nullopt;
  }
  return value;
}

std::vector<std::string> ModelFiles::ending(std::string_view ending) const {
  std::vector<std::string> out;
  for (std::string& name : store_.names()) {
    if (name.ends_with(ending) && is_valid_utf8(name)) out.push_back(std::move(name));
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<FileRead> ModelFiles::account() const {
  std::vector<FileRead> out;
  for (const auto& item : account_) out.push_back(*item);
  return out;
}

void report_bad_file(Diagnostics& problems, const Path& at, const std::string& name, std::uint64_t offset,
                     std::string reason) {
  problems.add(Code::kBadModelFile, at.str(),
               {{"value", quote(name)}, {"offset", std::to_string(offset)}, {"reason", std::move(reason)}});
}

}  // namespace quantmap
