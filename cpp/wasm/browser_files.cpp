// Files that somebody gave to a page: JavaScript holds them, and hands over the pieces that are asked for.
#include <algorithm>
#include <cstdint>
#include <string>

#include "model/file_store.hpp"

extern "C" {
// All of module "files". Names are UTF-8; a size below zero means that there is no such file.
__attribute__((import_module("files"), import_name("size"))) double files_size(const char* name, std::size_t length);
__attribute__((import_module("files"), import_name("read"))) std::size_t files_read(const char* name,
                                                                                    std::size_t length, double offset,
                                                                                    char* out, std::size_t count);
// The names, one a line, at most `room` bytes; what there would be in all.
__attribute__((import_module("files"), import_name("names"))) std::size_t files_names(char* out, std::size_t room);
}

namespace quantmap {

namespace {

constexpr const char* kDropped = "dropped";  // what the page calls what it was given

class GivenFile final : public StoredFile {
 public:
  GivenFile(std::string name, std::uint64_t size) : name_(std::move(name)), size_(size) {}
  [[nodiscard]] std::uint64_t size() const noexcept override { return size_; }
  [[nodiscard]] std::size_t read(std::uint64_t offset, char* out, std::size_t count) override {
    return files_read(name_.data(), name_.size(), static_cast<double>(offset), out, count);
  }

 private:
  std::string name_;
  std::uint64_t size_;
};

class GivenFolder final : public FileStore {
 public:
  [[nodiscard]] bool has(const std::string& name) const override { return files_size(name.data(), name.size()) >= 0; }

  [[nodiscard]] std::unique_ptr<StoredFile> open(const std::string& name, Unopened& why) const override {
    const double size = files_size(name.data(), name.size());
    why.reason = "no such file was given";
    return size < 0 ? nullptr : std::make_unique<GivenFile>(name, static_cast<std::uint64_t>(size));
  }

  [[nodiscard]] std::vector<std::string> names() const override {
    std::string text(files_names(nullptr, 0), '\0');
    files_names(text.data(), text.size());
    std::vector<std::string> out;
    std::size_t begin = 0;
    while (begin < text.size() && out.size() < kMostNames) {
      const std::size_t end = std::min(text.find('\n', begin), text.size());
      out.push_back(text.substr(begin, end - begin));
      begin = end + 1;
    }
    return out;
  }
};

}  // namespace

Place find_place(const std::string& text) {
  if (text.rfind(kDropped, 0) != 0) return {};
  const std::string rest = text.substr(std::string(kDropped).size());
  return {std::make_unique<GivenFolder>(), kDropped, rest.empty() ? "" : rest.substr(1), ""};
}

Place inner_place(const std::string&, const std::string&) { return {}; }

}  // namespace quantmap
