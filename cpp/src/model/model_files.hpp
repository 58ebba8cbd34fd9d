// Reading a little of files that may be huge, hostile or changing: every byte read is counted.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/file_store.hpp"
#include "quantmap/model/checkpoint.hpp"

namespace quantmap {

// Text files are read whole, so they have a limit; the largest real config is near 3 MB.
inline constexpr std::uint64_t kMostJson = 16u << 20;
inline constexpr std::uint64_t kMostIndex = 64u << 20;

// A regular file, open.
class OpenFile {
 public:
  OpenFile(std::unique_ptr<StoredFile> file, FileRead& account) : file_(std::move(file)), account_(&account) {}
  [[nodiscard]] std::uint64_t size() const noexcept { return account_->size; }
  [[nodiscard]] const std::string& name() const noexcept { return account_->name; }
  // False when the file ends earlier than it should.
  [[nodiscard]] bool read(std::uint64_t offset, char* out, std::size_t count);

 private:
  std::unique_ptr<StoredFile> file_;
  FileRead* account_;
};

// A folder, or one file's folder.
class ModelFiles {
 public:
  ModelFiles(const FileStore& store, const Path& at) : store_(store), at_(at) {}

  [[nodiscard]] bool has(const std::string& name) const { return store_.has(name); }
  // Nothing when `problems` got an error: it cannot be read, is no regular file, or is a link that leads outside.
  [[nodiscard]] std::optional<OpenFile> open(const std::string& name, Diagnostics& problems);
  // The whole text of a file.
  [[nodiscard]] std::optional<std::string> text(const std::string& name, std::uint64_t limit, Diagnostics& problems);
  // JSON of a file that must be an object. Nothing when it is absent or `problems` got an error.
  [[nodiscard]] std::optional<Value> json(const std::string& name, Diagnostics& problems);
  // Names in the folder with this ending, sorted.
  [[nodiscard]] std::vector<std::string> ending(std::string_view ending) const;
  [[nodiscard]] const Path& at() const noexcept { return at_; }
  [[nodiscard]] std::vector<FileRead> account() const;

 private:
  const FileStore& store_;
  const Path& at_;
  std::vector<std::unique_ptr<FileRead>> account_;
};

// A file whose content is not what its format wants, with the place.
void report_bad_file(Diagnostics& problems, const Path& at, const std::string& name, std::uint64_t offset,
                     std::string reason);

}  // namespace quantmap
