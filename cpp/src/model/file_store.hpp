// Where a model's files are: a folder on a disk, or what a browser was given. Everything above reads through this.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "quantmap/base/diagnostic.hpp"

namespace quantmap {

inline constexpr std::size_t kMostNames = 10'000;  // of one folder that are looked at

// A file, open.
class StoredFile {
 public:
  StoredFile() = default;
  StoredFile(const StoredFile&) = delete;
  StoredFile& operator=(const StoredFile&) = delete;
  virtual ~StoredFile() = default;
  [[nodiscard]] virtual std::uint64_t size() const noexcept = 0;
  // How many bytes there were at the offset, at most `count`.
  [[nodiscard]] virtual std::size_t read(std::uint64_t offset, char* out, std::size_t count) = 0;
};

// Why a file could not be opened.
struct Unopened {
  std::string reason;
  bool leaves_folder = false;  // a link that leads outside
};

// One folder.
class FileStore {
 public:
  FileStore() = default;
  FileStore(const FileStore&) = delete;
  FileStore& operator=(const FileStore&) = delete;
  virtual ~FileStore() = default;
  [[nodiscard]] virtual bool has(const std::string& name) const = 0;
  [[nodiscard]] virtual std::unique_ptr<StoredFile> open(const std::string& name, Unopened& why) const = 0;
  // The names in it, in any order, at most kMostNames.
  [[nodiscard]] virtual std::vector<std::string> names() const = 0;
};

// What a text names.
struct Place {
  std::unique_ptr<FileStore> store;  // nothing: there is no such thing
  std::string folder;                // as it is called
  std::string file;                  // of that folder; empty: the folder itself
  std::string reason;                // why it can be no model, although it is there
};

// Looks a text up: a folder, or a file of one.
[[nodiscard]] Place find_place(const std::string& text);
// A folder of a folder, such as "snapshots/<commit>". Links in it may lead to anything of the outer one.
[[nodiscard]] Place inner_place(const std::string& folder, const std::string& inner);

}  // namespace quantmap
