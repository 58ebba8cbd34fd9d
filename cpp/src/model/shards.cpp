#include "model/shards.hpp"

#include <algorithm>
#include <functional>
#include <map>

#include "base/json_scan.hpp"
#include "quantmap/base/text.hpp"
#include "quantmap/catalog/codes.hpp"

namespace quantmap {

namespace {

constexpr std::size_t kMostFiles = 10'000;

// What the index says of each file.
using Index = std::map<std::string, FileTensors, std::less<>>;

bool is_file_name(std::string_view name) {
  const bool plain = std::none_of(name.begin(), name.end(), [](char c) { return c == '/' || c == '\\' || c == '\0'; });
  return plain && name.size() > kSafetensors.size() && name.ends_with(kSafetensors) && !name.starts_with('.');
}

// What an index says, in one pass over its text.
class IndexReader {
 public:
  explicit IndexReader(const std::string& text) : text_(text), scan_(text) {}

  bool read(Index& index) {
    if (!is_valid_utf8(text_)) return refuse("it is not UTF-8");
    if (!read_members(index)) return false;
    std::sort(hashes_.begin(), hashes_.end());
    if (std::adjacent_find(hashes_.begin(), hashes_.end()) != hashes_.end()) return refuse("a tensor is given twice");
    return found_ || refuse("weight_map is missing");
  }

  [[nodiscard]] std::size_t position() const { return scan_.position(); }
  [[nodiscard]] std::string reason() const { return reason_.empty() ? "it is not JSON of the right shape" : reason_; }

 private:
  bool refuse(std::string reason) {
    reason_ = std::move(reason);
    return false;
  }

  bool read_members(Index& index) {
    if (!scan_.expect('{')) return false;
    if (scan_.take('}')) return scan_.at_end();
    do {
      std::string_view key;
      if (!scan_.text(key) || !scan_.expect(':')) return false;
      if (key == "weight_map" ? !read_map(index) : !scan_.skip()) return false;
    } while (scan_.take(','));
    return scan_.expect('}') && scan_.at_end();
  }

  bool read_map(Index& index) {
    if (found_) return refuse("weight_map is given twice");
    found_ = true;
    if (!scan_.expect('{')) return false;
    if (scan_.take('}')) return true;
    do {
      std::string_view tensor;
      std::string_view file;
      if (!scan_.text(tensor) || !scan_.expect(':') || !scan_.text(file)) return false;
      if (!is_file_name(file)) return refuse(quote(file) + " is not the name of a safetensors file in this folder");
      const std::uint64_t hash = name_hash(tensor);
      hashes_.push_back(hash);
      FileTensors& entry = index.try_emplace(std::string(file)).first->second;
      ++entry.count;
      entry.name_sum += hash;
      if (index.size() > kMostFiles) return refuse("more than " + std::to_string(kMostFiles) + " files");
    } while (scan_.take(','));
    return scan_.expect('}');
  }

  const std::string& text_;
  JsonScan scan_;
  std::vector<std::uint64_t> hashes_;  // of the tensors' names
  bool found_ = false;
  std::string reason_;
};

// Safetensors without an index: one file, or a set with the same beginning. Mistral's consolidated files, adapters and
// copies of the original weights stand beside it and are not read by engines.
std::vector<std::string> without_index(const ModelFiles& files) {
  std::vector<std::string> names = files.ending(kSafetensors);
  const bool has_model =
      std::any_of(names.begin(), names.end(), [](const std::string& name) { return name.starts_with("model"); });
  std::erase_if(names, [has_model](const std::string& name) {
    return (has_model && !name.starts_with("model")) || name.starts_with("adapter");
  });
  return names;
}

bool read_without_index(ModelFiles& files, WeightSum& sum, Diagnostics& problems) {
  bool good = true;
  for (const std::string& name : without_index(files)) {
    FileTensors unused;
    good = read_safetensors(files, name, sum, unused, problems) && good;
  }
  return good;
}

}  // namespace

bool read_shards(ModelFiles& files, WeightSum& sum, bool& complete, Diagnostics& problems, Diagnostics& notes) {
  const std::string index_name(kIndex);
  if (!files.has(index_name)) return read_without_index(files, sum, problems);
  const std::optional<std::string> text = files.text(index_name, kMostIndex, problems);
  if (!text) return false;
  Index index;
  IndexReader reader(*text);
  if (!reader.read(index)) {
    report_bad_file(problems, files.at(), index_name, reader.position(), reader.reason());
    return false;
  }
  bool good = true;
  std::string missing;
  std::string different;
  for (const auto& [name, expected] : index) {
    if (!files.has(name)) {
      if (missing.empty()) missing = name;
      complete = false;
      continue;
    }
    FileTensors found;
    good = read_safetensors(files, name, sum, found, problems) && good;
    const bool same = found.count == expected.count && found.name_sum == expected.name_sum;
    if (different.empty() && !same) different = name;
  }
  if (!missing.empty()) notes.add(Code::kShardMissing, files.at().str(), {{"value", quote(missing)}});
  if (good && !different.empty()) notes.add(Code::kIndexDiffers, files.at().str(), {{"value", quote(different)}});
  return good;
}

std::vector<std::string> gguf_parts(const ModelFiles& files, const std::string& name) {
  // "-00001-of-00003.gguf"
  constexpr std::size_t kTail = 20;
  const auto number = [&name](std::size_t at) {
    const bool digits = std::all_of(name.begin() + static_cast<std::ptrdiff_t>(at),
                                    name.begin() + static_cast<std::ptrdiff_t>(at) + 5, is_digit);
    return digits && name[at - 1] == '-';
  };
  if (name.size() <= kTail || name.compare(name.size() - 13, 3, "of-") != 0) return {name};
  const std::size_t begin = name.size() - kTail;
  if (!number(begin + 1) || !number(begin + 10)) return {name};
  std::vector<std::string> out;
  for (std::string& other : files.ending(name.substr(begin + 6))) {
    if (other.size() == name.size() && other.compare(0, begin, name, 0, begin) == 0) out.push_back(std::move(other));
  }
  return out;
}

}  // namespace quantmap
