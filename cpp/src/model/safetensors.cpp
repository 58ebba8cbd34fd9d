// The header of a safetensors file: its length, then JSON with dtype, shape and place of every tensor.
#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "base/json_scan.hpp"
#include "model/weights.hpp"
#include "quantmap/base/text.hpp"

namespace quantmap {

namespace {

constexpr std::uint64_t kPrefix = 8;
constexpr std::uint64_t kMostHeader = 100'000'000;  // the format's own limit
constexpr std::string_view kMetadata = "__metadata__";

struct Entry {
  TensorInfo tensor;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::size_t at = 0;  // in the header
};

const StoredDtype* find_dtype(std::string_view name) {
  for (const StoredDtype& dtype : catalog().weights.safetensors) {
    if (dtype.name == name) return &dtype;
  }
  return nullptr;
}

class HeaderReader {
 public:
  HeaderReader(std::string_view text, std::uint64_t data_size) : scan_(text), data_size_(data_size) {}

  bool read(std::vector<Entry>& out) {
    if (!scan_.expect('{')) return false;
    if (!scan_.take('}')) {
      do {
        std::string_view name;
        if (!scan_.text(name) || !scan_.expect(':')) return false;
        if (name == kMetadata) {
          if (!scan_.skip()) return false;
          continue;
        }
        Entry entry;
        entry.at = scan_.position();
        entry.tensor.name = name;
        if (!read_entry(entry)) return false;
        out.push_back(entry);
      } while (scan_.take(','));
      if (!scan_.expect('}')) return false;
    }
    if (!scan_.at_end()) return refuse("there is more after the header's end");
    return true;
  }

  [[nodiscard]] std::size_t position() const { return place_.value_or(scan_.position()); }
  [[nodiscard]] std::string reason() const { return reason_.empty() ? "the header is not JSON" : reason_; }

 private:
  bool refuse(std::string reason, std::optional<std::size_t> place = std::nullopt) {
    if (reason_.empty()) {
      reason_ = std::move(reason);
      place_ = place;
    }
    return scan_.fail();
  }

  // The keys of an entry: each must be there once, whatever else stands beside them.
  enum Key : std::uint8_t { kOther = 0, kDtype = 1, kShape = 2, kOffsets = 4, kAll = 7 };

  static Key key_of(std::string_view name) {
    return name == "dtype" ? kDtype : name == "shape" ? kShape : name == "data_offsets" ? kOffsets : kOther;
  }

  bool read_entry(Entry& entry) {
    unsigned seen = 0;
    if (!scan_.expect('{')) return false;
    if (!scan_.take('}')) {
      do {
        if (!read_member(entry, seen)) return false;
      } while (scan_.take(','));
      if (!scan_.expect('}')) return false;
    }
    if (seen != kAll) return refuse(quote(entry.tensor.name) + " lacks dtype, shape or data_offsets", entry.at);
    return check_size(entry);
  }

  bool read_member(Entry& entry, unsigned& seen) {
    std::string_view name;
    if (!scan_.text(name) || !scan_.expect(':')) return false;
    const Key key = key_of(name);
    if ((seen & key) != 0)
      return refuse("the key " + quote(name) + " of " + quote(entry.tensor.name) + " is given twice");
    seen |= key;
    switch (key) {
      case kDtype: return read_dtype(entry);
      case kShape: return read_shape(entry);
      case kOffsets: return read_offsets(entry);
      default: return scan_.skip();
    }
  }

  bool read_dtype(Entry& entry) {
    std::string_view name;
    if (!scan_.text(name)) return false;
    entry.tensor.dtype = find_dtype(name);
    return entry.tensor.dtype != nullptr || refuse("unknown dtype " + quote(name));
  }

  bool read_shape(Entry& entry) {
    entry.tensor.elements = 1;
    if (!scan_.expect('[')) return false;
    if (scan_.take(']')) return true;
    do {
      std::uint64_t size = 0;
      if (!scan_.number(size)) return false;
      if (size != 0 && entry.tensor.elements > std::numeric_limits<std::int64_t>::max() / size) {
        return refuse("the shape of " + quote(entry.tensor.name) + " is larger than any file");
      }
      entry.tensor.elements *= size;
      ++entry.tensor.dimensions;
    } while (scan_.take(','));
    return scan_.expect(']');
  }

  bool read_offsets(Entry& entry) {
    return scan_.expect('[') && scan_.number(entry.begin) && scan_.expect(',') && scan_.number(entry.end) &&
           scan_.expect(']');
  }

  bool check_size(Entry& entry) {
    const std::string name = quote(entry.tensor.name);
    if (entry.begin > entry.end || entry.end > data_size_) {
      return refuse("the data of " + name + " lie outside the file", entry.at);
    }
    entry.tensor.bytes = entry.end - entry.begin;
    const std::uint64_t bits = entry.tensor.dtype->bits;
    if (entry.tensor.elements > std::numeric_limits<std::uint64_t>::max() / 64 ||
        entry.tensor.bytes != (entry.tensor.elements * bits + 7) / 8) {
      return refuse("shape and size of " + name + " differ", entry.at);
    }
    return true;
  }

  JsonScan scan_;
  std::uint64_t data_size_;
  std::string reason_;
  std::optional<std::size_t> place_;
};

std::uint64_t little_endian(const std::array<char, kPrefix>& bytes) {
  std::uint64_t out = 0;
  for (std::size_t i = kPrefix; i-- > 0;) out = out << 8U | static_cast<unsigned char>(bytes[i]);
  return out;
}

// Tensors fill the file without gap or overlap.
const Entry* misplaced(std::vector<const Entry*> entries, std::uint64_t size, std::string& reason) {
  std::sort(entries.begin(), entries.end(), [](const Entry* a, const Entry* b) {
    return a->begin != b->begin ? a->begin < b->begin : a->end < b->end;
  });
  std::uint64_t at = 0;
  for (const Entry* entry : entries) {
    if (entry->begin != at) {
      const std::string name = quote(entry->tensor.name);
      reason = entry->begin < at ? "the data of " + name + " overlap those of another tensor" : "a gap before " + name;
      return entry;
    }
    at = entry->end;
  }
  if (at == size || entries.empty()) return nullptr;
  reason = "the file is longer than its tensors";
  return entries.back();
}

const Entry* duplicate(std::vector<const Entry*> entries) {
  std::sort(entries.begin(), entries.end(),
            [](const Entry* a, const Entry* b) { return a->tensor.name < b->tensor.name; });
  const auto found = std::adjacent_find(
      entries.begin(), entries.end(), [](const Entry* a, const Entry* b) { return a->tensor.name == b->tensor.name; });
  return found == entries.end() ? nullptr : *found;
}

}  // namespace

bool read_safetensors(ModelFiles& files, const std::string& name, WeightSum& sum, FileTensors& found,
                      Diagnostics& problems) {
  std::optional<OpenFile> file = files.open(name, problems);
  if (!file) return false;
  const auto refuse = [&](std::uint64_t offset, std::string reason) {
    report_bad_file(problems, files.at(), name, offset, std::move(reason));
    return false;
  };
  std::array<char, kPrefix> prefix{};
  if (!file->read(0, prefix.data(), prefix.size())) return refuse(0, "shorter than its header's length");
  const std::uint64_t length = little_endian(prefix);
  if (length > kMostHeader) return refuse(0, "the header claims " + std::to_string(length) + " bytes");
  if (length > file->size() - kPrefix) return refuse(0, "the header is longer than the file");
  std::string text(static_cast<std::size_t>(length), '\0');
  if (!file->read(kPrefix, text.data(), text.size())) return refuse(kPrefix, "it got shorter while it was read");
  if (!is_valid_utf8(text)) return refuse(kPrefix, "the header is not UTF-8");

  const std::uint64_t data_size = file->size() - kPrefix - length;
  HeaderReader reader(text, data_size);
  std::vector<Entry> entries;
  if (!reader.read(entries)) return refuse(kPrefix + reader.position(), reader.reason());
  std::vector<const Entry*> order;
  order.reserve(entries.size());
  for (const Entry& entry : entries) order.push_back(&entry);
  if (const Entry* twice = duplicate(order)) {
    return refuse(kPrefix + twice->at, "the tensor " + quote(twice->tensor.name) + " is given twice");
  }
  std::string reason;
  if (const Entry* wrong = misplaced(std::move(order), data_size, reason)) return refuse(kPrefix + wrong->at, reason);
  for (const Entry& entry : entries) {
    sum.add(entry.tensor);
    ++found.count;
    found.name_sum += name_hash(entry.tensor.name);
  }
  return true;
}

}  // namespace quantmap
