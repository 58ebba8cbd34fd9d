// The header of a GGUF file, versions 1 to 3: metadata of any type, then name, shape, type and place of each tensor.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <unordered_set>

#include "model/weights.hpp"
#include "quantmap/base/text.hpp"

namespace quantmap {

namespace {

enum class Type : std::uint32_t { kU8, kI8, kU16, kI16, kU32, kI32, kF32, kBool, kString, kArray, kU64, kI64, kF64 };
constexpr std::array<std::uint64_t, 13> kTypeSize = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
constexpr std::uint64_t kMostGguf = 64u << 20;  // tokens and merges of a large vocabulary take some ten MB
constexpr std::uint64_t kMostDimensions = 8;
constexpr std::uint64_t kMostName = 1 << 16;
constexpr std::uint64_t kMostPairs = 1 << 14;
constexpr std::uint64_t kMostTensors = 1 << 18;
constexpr std::uint64_t kKeptItems = 4096;     // of one array; longer ones are passed over
constexpr std::uint64_t kKeptInAll = 100'000;  // of all arrays
constexpr int kMostNesting = 4;
constexpr std::uint64_t kAlignment = 32;

struct GgufEntry {
  std::string name;
  TensorInfo tensor;
  std::uint64_t offset = 0;
  std::uint64_t at = 0;
};

// A position in the file, with a buffer: a header has no length of its own.
class Cursor {
 public:
  explicit Cursor(OpenFile& file) : file_(file) {}

  [[nodiscard]] std::uint64_t at() const noexcept { return begin_ + next_; }
  [[nodiscard]] std::uint64_t left() const noexcept { return file_.size() - at(); }

  bool bytes(char* out, std::size_t count) {
    while (count > 0) {
      if (next_ == buffer_.size() && !fill()) return false;
      const std::size_t part = std::min(count, buffer_.size() - next_);
      std::memcpy(out, buffer_.data() + next_, part);
      out += part;
      next_ += part;
      count -= part;
    }
    return true;
  }

  bool skip(std::uint64_t count) {
    if (count > left()) return false;
    const std::uint64_t to = at() + count;
    if (to > begin_ + buffer_.size()) {
      begin_ = to;
      next_ = 0;
      buffer_.clear();
    } else {
      next_ = static_cast<std::size_t>(to - begin_);
    }
    return true;
  }

  bool number(std::uint64_t& out, std::uint64_t size) {
    std::array<unsigned char, 8> raw{};
    if (!bytes(reinterpret_cast<char*>(raw.data()), static_cast<std::size_t>(size))) return false;
    out = 0;
    for (std::size_t i = static_cast<std::size_t>(size); i-- > 0;) out = out << 8U | raw[i];
    return true;
  }

 private:
  bool fill() {
    begin_ += buffer_.size();
    const std::uint64_t rest = file_.size() - begin_;
    if (rest == 0 || begin_ > kMostGguf) return false;
    buffer_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(rest, 1u << 16)));
    next_ = 0;
    if (file_.read(begin_, buffer_.data(), buffer_.size())) return true;
    buffer_.clear();
    return false;
  }

  OpenFile& file_;
  std::uint64_t begin_ = 0;  // of the buffer
  std::size_t next_ = 0;
  std::string buffer_;
};

class GgufReader {
 public:
  explicit GgufReader(OpenFile& file) : file_(file), cursor_(file) {}

  bool read(std::uint64_t& version, Value& metadata, std::vector<GgufEntry>& entries) {
    std::array<char, 4> magic{};
    std::uint64_t tensors = 0;
    std::uint64_t pairs = 0;
    if (!cursor_.bytes(magic.data(), magic.size()) || std::string_view(magic.data(), 4) != "GGUF") {
      return refuse("it does not begin with GGUF");
    }
    if (!cursor_.number(version, 4)) return cut();
    if (version == 0 || version > 3) return refuse("version " + std::to_string(version) + ", known are 1 to 3");
    length_ = version == 1 ? 4 : 8;
    if (!cursor_.number(tensors, length_) || !cursor_.number(pairs, length_)) return cut();
    if (tensors > kMostTensors || pairs > kMostPairs) return refuse("more entries than any model has");
    for (std::uint64_t i = 0; i < pairs; ++i) {
      if (!read_pair(metadata)) return false;
    }
    for (std::uint64_t i = 0; i < tensors; ++i) {
      if (!read_tensor(entries)) return false;
    }
    return check_places(entries, metadata);
  }

  [[nodiscard]] std::uint64_t position() const { return place_ ? *place_ : cursor_.at(); }
  [[nodiscard]] const std::string& reason() const { return reason_; }

 private:
  bool refuse(std::string reason, std::optional<std::uint64_t> place = std::nullopt) {
    if (reason_.empty()) {
      reason_ = std::move(reason);
      place_ = place;
    }
    return false;
  }
  bool cut() { return refuse("the header is cut off"); }

  bool read_text(std::string& out, std::uint64_t most) {
    std::uint64_t length = 0;
    if (!cursor_.number(length, length_)) return cut();
    if (length > cursor_.left()) return refuse("a text of " + std::to_string(length) + " bytes in a shorter file");
    if (length > most) {
      out.clear();
      return cursor_.skip(length) || cut();
    }
    out.resize(static_cast<std::size_t>(length));
    return cursor_.bytes(out.data(), out.size()) || cut();
  }

  bool read_value(std::uint64_t type, Value* out, int nesting) {
    if (type >= kTypeSize.size()) return refuse("unknown type " + std::to_string(type) + " of a value");
    const Type kind = static_cast<Type>(type);
    if (kind == Type::kArray) return read_array(out, nesting);
    if (kind == Type::kString) {
      std::string text;
      if (!read_text(text, out == nullptr ? 0 : kMostName)) return false;
      if (out != nullptr) *out = Value::text(is_valid_utf8(text) ? std::move(text) : std::string());
      return true;
    }
    std::uint64_t raw = 0;
    if (!cursor_.number(raw, kTypeSize[type])) return cut();
    if (out != nullptr) *out = scalar(kind, raw);
    return true;
  }

  static Value scalar(Type kind, std::uint64_t raw) {
    switch (kind) {
      case Type::kBool: return Value::boolean(raw != 0);
      case Type::kF32: {
        float value = 0;
        const auto bits = static_cast<std::uint32_t>(raw);
        std::memcpy(&value, &bits, sizeof value);
        return std::isfinite(value) ? Value::real(static_cast<double>(value)) : Value();
      }
      case Type::kF64: {
        double value = 0;
        std::memcpy(&value, &raw, sizeof value);
        return std::isfinite(value) ? Value::real(value) : Value();
      }
      case Type::kI8: return Value::integer(std::to_string(static_cast<std::int8_t>(raw)));
      case Type::kI16: return Value::integer(std::to_string(static_cast<std::int16_t>(raw)));
      case Type::kI32: return Value::integer(std::to_string(static_cast<std::int32_t>(raw)));
      case Type::kI64: return Value::integer(std::to_string(static_cast<std::int64_t>(raw)));
      default: return Value::integer(std::to_string(raw));
    }
  }

  bool read_array(Value* out, int nesting) {
    std::uint64_t type = 0;
    std::uint64_t count = 0;
    if (nesting >= kMostNesting) return refuse("arrays in arrays in arrays");
    if (!cursor_.number(type, 4) || !cursor_.number(count, length_)) return cut();
    if (type >= kTypeSize.size()) return refuse("unknown type " + std::to_string(type) + " of an array");
    const std::uint64_t least = std::max<std::uint64_t>(kTypeSize[type], 1);
    if (count > cursor_.left() / least) return refuse("an array of " + std::to_string(count) + " in a shorter file");
    const bool keep = out != nullptr && count <= kKeptItems && kept_ < kKeptInAll;
    Value list = Value::array();
    if (keep) kept_ += count;
    if (!(keep ? read_items(type, count, &list, nesting) : pass_items(type, count, nesting))) return false;
    last_count_ = count;
    if (out != nullptr) *out = std::move(list);
    return true;
  }

  bool pass_items(std::uint64_t type, std::uint64_t count, int nesting) {
    if (kTypeSize[type] > 0) return cursor_.skip(count * kTypeSize[type]) || cut();
    return read_items(type, count, nullptr, nesting);
  }

  bool read_items(std::uint64_t type, std::uint64_t count, Value* list, int nesting) {
    for (std::uint64_t i = 0; i < count; ++i) {
      Value item;
      if (!read_value(type, list == nullptr ? nullptr : &item, nesting + 1)) return false;
      if (list != nullptr) list->append(std::move(item));
    }
    return true;
  }

  bool read_pair(Value& metadata) {
    const std::uint64_t at = cursor_.at();
    std::string key;
    std::uint64_t type = 0;
    if (!read_text(key, kMostName)) return false;
    if (!is_valid_utf8(key)) return refuse("a key that is not UTF-8", at);
    if (!cursor_.number(type, 4)) return cut();
    if (!keys_.insert(key).second) return refuse("the key " + quote(key) + " is given twice", at);
    // The vocabulary is counted, not kept.
    const bool vocabulary = key.starts_with("tokenizer.");
    Value value;
    if (!read_value(type, vocabulary ? nullptr : &value, 0)) return false;
    if (key == "tokenizer.ggml.tokens") metadata.set("vocab_size", Value::integer(std::to_string(last_count_)));
    if (!vocabulary) metadata.set(std::move(key), std::move(value));
    return true;
  }

  bool read_tensor(std::vector<GgufEntry>& entries) {
    GgufEntry entry;
    entry.at = cursor_.at();
    if (!read_text(entry.name, kMostName)) return false;
    if (!is_valid_utf8(entry.name)) return refuse("a tensor's name that is not UTF-8", entry.at);
    if (!keys_.insert("tensor " + entry.name).second) {
      return refuse("the tensor " + quote(entry.name) + " is given twice", entry.at);
    }
    std::uint64_t row = 1;
    std::uint64_t type = 0;
    if (!read_shape(entry, row)) return false;
    if (!cursor_.number(type, 4) || !cursor_.number(entry.offset, 8)) return cut();
    if (!take_type(entry, type, row)) return false;
    entries.push_back(std::move(entry));
    return true;
  }

  // How many elements it has, and how many of them stand in a row.
  bool read_shape(GgufEntry& entry, std::uint64_t& row) {
    std::uint64_t dimensions = 0;
    if (!cursor_.number(dimensions, 4)) return cut();
    if (dimensions > kMostDimensions) return refuse(std::to_string(dimensions) + " dimensions", entry.at);
    entry.tensor.elements = 1;
    entry.tensor.dimensions = static_cast<std::size_t>(dimensions);
    for (std::uint64_t i = 0; i < dimensions; ++i) {
      std::uint64_t size = 0;
      if (!cursor_.number(size, length_)) return cut();
      if (size != 0 && entry.tensor.elements > std::numeric_limits<std::int64_t>::max() / size) return too_large(entry);
      entry.tensor.elements *= size;
      if (i == 0) row = size;
    }
    return true;
  }

  // How its elements are stored: in blocks, which lie within a row.
  bool take_type(GgufEntry& entry, std::uint64_t type, std::uint64_t row) {
    const auto& known = catalog().weights.gguf;
    const auto dtype = std::find_if(known.begin(), known.end(), [type](const StoredDtype& item) {
      return item.id == static_cast<std::int64_t>(type);
    });
    if (dtype == known.end()) return refuse("unknown type " + std::to_string(type) + " of a tensor", entry.at);
    entry.tensor.dtype = &*dtype;
    if (row % dtype->block != 0) return refuse("a row of " + quote(entry.name) + " ends within a block", entry.at);
    const std::uint64_t blocks = entry.tensor.elements / dtype->block;
    if (blocks > std::numeric_limits<std::int64_t>::max() / dtype->bytes) return too_large(entry);
    entry.tensor.bytes = blocks * dtype->bytes;
    return true;
  }

  bool too_large(const GgufEntry& entry) {
    return refuse("the shape of " + quote(entry.name) + " is larger than any file", entry.at);
  }

  // Every tensor lies in the file, at a multiple of the alignment, and none over another.
  bool check_places(const std::vector<GgufEntry>& entries, const Value& metadata) {
    std::uint64_t alignment = kAlignment;
    if (const Value* given = metadata.find("general.alignment"); given != nullptr) {
      alignment = 0;
      for (const char c : given->as_text())
        alignment = c < '0' || c > '9' ? 0 : alignment * 10 + static_cast<std::uint64_t>(c - '0');
      if (given->kind() != Value::Kind::kInteger || alignment == 0 || alignment > (1u << 20)) {
        return refuse("an alignment that cannot be");
      }
    }
    const std::uint64_t data = (cursor_.at() + alignment - 1) / alignment * alignment;
    std::vector<const GgufEntry*> order;
    for (const GgufEntry& entry : entries) order.push_back(&entry);
    std::sort(order.begin(), order.end(), [](const GgufEntry* a, const GgufEntry* b) { return a->offset < b->offset; });
    std::uint64_t end = 0;
    for (const GgufEntry* entry : order) {
      const std::string name = quote(entry->name);
      if (entry->offset % alignment != 0) return refuse(name + " is not aligned", entry->at);
      if (entry->offset < end) return refuse("the data of " + name + " overlap those of another tensor", entry->at);
      if (data > file_.size() || entry->offset > file_.size() - data ||
          entry->tensor.bytes > file_.size() - data - entry->offset) {
        return refuse("the data of " + name + " lie outside the file", entry->at);
      }
      end = entry->offset + entry->tensor.bytes;
    }
    return true;
  }

  OpenFile& file_;
  Cursor cursor_;
  std::uint64_t length_ = 8;
  std::uint64_t last_count_ = 0;
  std::uint64_t kept_ = 0;
  std::string reason_;
  std::optional<std::uint64_t> place_;
  std::unordered_set<std::string> keys_;
};

// The metadata as a config.json would say it.
Value as_config(const Value& metadata) {
  Value out = Value::object();
  const Value* family = metadata.find("general.architecture");
  if (family == nullptr || !family->is_text()) return out;
  out.set("model_type", *family);
  for (const FactPair& pair : catalog().weights.gguf_keys) {
    const std::string key = family->as_text() + "." + std::string(pair.fact);
    const Value* value = metadata.find(key);
    if (value != nullptr && out.find(pair.value) == nullptr) out.set(std::string(pair.value), *value);
  }
  const Value* vocabulary = metadata.find("vocab_size");
  if (vocabulary != nullptr && out.find("vocab_size") == nullptr) out.set("vocab_size", *vocabulary);
  return out;
}

}  // namespace

bool read_gguf(ModelFiles& files, const std::string& name, WeightSum& sum, GgufHeader& header, Diagnostics& problems) {
  std::optional<OpenFile> file = files.open(name, problems);
  if (!file) return false;
  GgufReader reader(*file);
  Value metadata = Value::object();
  std::vector<GgufEntry> entries;
  if (!reader.read(header.version, metadata, entries)) {
    report_bad_file(problems, files.at(), name, reader.position(), reader.reason());
    return false;
  }
  for (GgufEntry& entry : entries) {
    entry.tensor.name = entry.name;
    sum.add(entry.tensor);
  }
  Value config = as_config(metadata);
  if (header.config.is_null() || !config.members().empty()) header.config = std::move(config);
  const Value* type = metadata.find("general.file_type");
  if (type != nullptr && type->kind() == Value::Kind::kInteger) header.file_type = type->as_text();
  return true;
}

}  // namespace quantmap
