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

bool read_map(JsonScan& scan, Index& index, std::vector<std::uint64_t>& hashes, std::string& reason) {
  if (!scan.expect('{')) return false;
  if (scan.take('}')) return true;
  do {
    std::string_view tensor;
    std::string_view file;
    if (!scan.text(tensor) || !scan.expect(':') || !scan.text(file)) return false;
    if (!is_file_name(file)) {
      reason = quote(file) + " is not the name of a safetensors file in this folder";
      return scan.fail();
    }
    const std::uint64_t hash = name_hash(tensor);
    hashes.push_back(hash);
    FileTensors& entry = index.try_emplace(std::string(file)).first->second;
    ++entry.count;
    entry.name_sum += hash;
    if (index.size() > kMostFiles) {
      reason = "more than " + std::to_string(kMostFiles) + " files";
      return scan.fail();
    }
  } while (scan.take(','));
  return scan.expect('}');
}

bool read_index(const std::string& text, const ModelFiles& files, Index& index, Diagnostics& problems) {
  JsonScan scan(text);
  std::string reason;
  bool found = false;
  std::vector<std::uint64_t> hashes;
  const auto read = [&] {
    if (!is_valid_utf8(text)) {
      reason = "it is not UTF-8";
      return false;
    }
    if (!scan.expect('{')) return false;
    if (scan.take('}')) return scan.at_end();
    do {
      std::string_view key;
      if (!scan.text(key) || !scan.expect(':')) return false;
      if (key == "weight_map" && found) {
        reason = "weight_map is given twice";
        return false;
      }
      if (key == "weight_map" ? !read_map(scan, index, hashes, reason) : !scan.skip()) return false;
      found = found || key == "weight_map";
    } while (scan.take(','));
    return scan.expect('}') && scan.at_end();
  };
  bool good = read();
  std::sort(hashes.begin(), hashes.end());
  if (good && std::adjacent_find(hashes.begin(), hashes.end()) != hashes.end()) {
    good = false;
    reason = "a tensor is given twice";
  }
  if (good && !found) {
    good = false;
    reason = "weight_map is missing";
  }
  if (good) return true;
  if (reason.empty()) reason = "it is not JSON of the right shape";
  report_bad_file(problems, files.at(), std::string(kIndex), scan.position(), reason);
  return false;
}

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

}  // namespace

bool read_shards(ModelFiles& files, WeightSum& sum, bool& complete, Diagnostics& problems, Diagnostics& notes) {
  const std::string index_name(kIndex);
  if (!files.has(index_name)) {
    bool good = true;
    for (const std::string& name : without_index(files)) {
      FileTensors unused;
      good = read_safetensors(files, name, sum, unused, problems) && good;
    }
    return good;
  }
  const std::optional<std::string> text = files.text(index_name, kMostIndex, problems);
  Index index;
  if (!text || !read_index(*text, files, index, problems)) return false;
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
    if (different.empty() && (found.count != expected.count || found.name_sum != expected.name_sum)) different = name;
  }
  if (!missing.empty()) notes.add(Code::kShardMissing, files.at().str(), {{"value", quote(missing)}});
  if (good && !different.empty()) notes.add(Code::kIndexDiffers, files.at().str(), {{"value", quote(different)}});
  return good;
}

std::vector<std::string> gguf_parts(const ModelFiles& files, const std::string& name) {
  // "-00001-of-00003.gguf"
  constexpr std::size_t kTail = 20;
  const auto number = [&name](std::size_t at) {
    const bool digits =
        std::all_of(name.begin() + static_cast<std::ptrdiff_t>(at), name.begin() + static_cast<std::ptrdiff_t>(at) + 5,
                    [](char c) { return c >= '0' && c <= '9'; });
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
