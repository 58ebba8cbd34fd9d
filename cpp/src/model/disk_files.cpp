// Files on a disk. The only source that knows the system's files; a build without them has one of its own.
#include <algorithm>
#include <filesystem>
#include <fstream>

#include "model/file_store.hpp"

namespace quantmap {

namespace fs = std::filesystem;

namespace {

fs::path native(const std::string& name) { return {std::u8string(name.begin(), name.end())}; }

std::string utf8(const fs::path& path) {
  const std::u8string text = path.u8string();
  return {text.begin(), text.end()};
}

bool is_inside(const fs::path& file, const fs::path& border) {
  const auto [end, unused] = std::mismatch(border.begin(), border.end(), file.begin(), file.end());
  return end == border.end();
}

// Links may lead to anything below this: the folder, or the whole cache folder of a model.
fs::path border_of(const fs::path& folder) {
  std::error_code error;
  const fs::path whole = fs::canonical(folder, error);
  const fs::path parent = whole.parent_path();
  return parent.filename() == "snapshots" ? parent.parent_path() : whole;
}

class DiskFile final : public StoredFile {
 public:
  DiskFile(std::ifstream stream, std::uint64_t size) : stream_(std::move(stream)), size_(size) {}
  [[nodiscard]] std::uint64_t size() const noexcept override { return size_; }
  [[nodiscard]] std::size_t read(std::uint64_t offset, char* out, std::size_t count) override {
    stream_.clear();
    stream_.seekg(static_cast<std::streamoff>(offset));
    stream_.read(out, static_cast<std::streamsize>(count));
    return static_cast<std::size_t>(std::max<std::streamsize>(stream_.gcount(), 0));
  }

 private:
  std::ifstream stream_;
  std::uint64_t size_;
};

class DiskFolder final : public FileStore {
 public:
  DiskFolder(fs::path folder, fs::path border) : folder_(std::move(folder)), border_(std::move(border)) {}

  [[nodiscard]] bool has(const std::string& name) const override {
    std::error_code error;
    return fs::exists(fs::symlink_status(folder_ / native(name), error));
  }

  [[nodiscard]] std::unique_ptr<StoredFile> open(const std::string& name, Unopened& why) const override {
    std::error_code error;
    const fs::path file = fs::canonical(folder_ / native(name), error);
    if (error) {
      why.reason = error.message();
      return nullptr;
    }
    why.leaves_folder = !is_inside(file, border_);
    if (why.leaves_folder) return nullptr;
    why.reason = "not a regular file";  // a pipe or a device would never end
    if (!fs::is_regular_file(file, error)) return nullptr;
    const std::uint64_t size = fs::file_size(file, error);
    if (error) {
      why.reason = error.message();
      return nullptr;
    }
    std::ifstream stream;
    stream.rdbuf()->pubsetbuf(nullptr, 0);  // what is read is what is asked for
    stream.open(file, std::ios::binary);
    why.reason = "it cannot be opened";
    return stream ? std::make_unique<DiskFile>(std::move(stream), size) : nullptr;
  }

  [[nodiscard]] std::vector<std::string> names() const override {
    std::vector<std::string> out;
    std::error_code error;
    fs::directory_iterator end;
    for (fs::directory_iterator it(folder_, error); !error && it != end && out.size() < kMostNames;
         it.increment(error)) {
      out.push_back(utf8(it->path().filename()));
    }
    return out;
  }

 private:
  fs::path folder_;
  fs::path border_;  // canonical
};

Place place_of(const fs::path& folder, const fs::path& border, std::string file) {
  return {std::make_unique<DiskFolder>(folder, border), utf8(folder), std::move(file), ""};
}

}  // namespace

Place find_place(const std::string& text) {
  const fs::path given = native(text);
  std::error_code error;
  const fs::file_status status = fs::status(given, error);
  if (fs::is_directory(status)) return place_of(given, border_of(given), "");
  if (fs::is_regular_file(status)) {
    const fs::path folder = given.has_parent_path() ? given.parent_path() : fs::path(".");
    return place_of(folder, border_of(folder), utf8(given.filename()));
  }
  if (fs::exists(status)) return {nullptr, "", "", "neither a folder nor a regular file"};
  return {};
}

Place inner_place(const std::string& folder, const std::string& inner) {
  std::error_code error;
  const fs::path outer = native(folder);
  if (!fs::is_directory(outer / native(inner), error)) return {};
  return place_of(outer / native(inner), border_of(outer), "");
}

}  // namespace quantmap
