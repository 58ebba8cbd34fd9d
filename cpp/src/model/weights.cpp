#include "model/weights.hpp"

#include <algorithm>

#include "base/letters.hpp"

namespace quantmap {

namespace {

constexpr std::size_t kMostKinds = 20'000;  // names that differ in more than numbers

bool is_one_of(std::string_view word, std::span<const std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool ends_with_one_of(std::string_view word, std::span<const std::string_view> endings) {
  return std::any_of(endings.begin(), endings.end(), [word](std::string_view e) { return word.ends_with(e); });
}

bool contains_one_of(std::string_view word, std::span<const std::string_view> parts) {
  return std::any_of(parts.begin(), parts.end(), [word](std::string_view p) { return word.find(p) != word.npos; });
}

std::vector<std::string_view> components(std::string_view name) {
  std::vector<std::string_view> out;
  while (true) {
    const std::size_t dot = std::min(name.find('.'), name.size());
    out.push_back(name.substr(0, dot));
    if (dot == name.size()) return out;
    name.remove_prefix(dot + 1);
  }
}

bool fits(const PartRow& row, std::string_view name, std::span<const std::string_view> path) {
  if (is_one_of(name, row.names)) return true;
  if (path.size() >= 2 && is_one_of(path[path.size() - 2], row.last)) return true;
  return std::any_of(path.begin(), path.end(), [&row](std::string_view part) {
    return is_one_of(part, row.words) || contains_one_of(part, row.contains);
  });
}

std::uint64_t plus(std::uint64_t a, std::uint64_t b) {
  return a > UINT64_MAX - b ? UINT64_MAX : a + b;  // a header may claim anything
}

}  // namespace

std::string_view name_of(ModuleClass part) noexcept {
  constexpr std::string_view names[] = {"linear", "experts", "embedding", "head", "norm", "other"};
  return names[static_cast<std::size_t>(part)];
}

std::uint64_t name_hash(std::string_view name) noexcept {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return hash;
}

WeightSum::Kind WeightSum::classify(std::string_view name) {
  const WeightTables& tables = catalog().weights;
  const std::vector<std::string_view> path = components(name);
  const std::string_view ending = path.back();
  Kind out;
  if (endings_.size() < kMostKinds) endings_.emplace(ending, true);
  kv_scales_ = kv_scales_ || is_one_of(ending, tables.kv_scales);
  out.scale = is_one_of(ending, tables.scales) || ends_with_one_of(ending, tables.scale_endings) ||
              contains_one_of(name, tables.scale_contains);
  out.packed = !out.scale && (is_one_of(ending, tables.packed) || ends_with_one_of(ending, tables.packed_endings));
  const bool bias = ending.ends_with("bias");
  out.part = bias ? ModuleClass::kOther : ModuleClass::kLinear;
  for (const PartRow& row : tables.parts) {
    if (!fits(row, name, path)) continue;
    out.part = static_cast<ModuleClass>(row.part);
    break;
  }
  // A weight of an output layer; a model that ties its embeddings has none.
  has_head_ = has_head_ || (out.part == ModuleClass::kHead && !bias && !out.scale);
  out.weight = !bias && !out.scale;
  return out;
}

const WeightSum::Kind& WeightSum::kind_of(std::string_view name) {
  pattern_.clear();
  bool in_number = false;
  for (const char c : name) {
    const bool digit = is_digit(c);
    if (!digit) pattern_ += c;
    if (digit && !in_number) pattern_ += '#';
    in_number = digit;
  }
  const auto found = kinds_.find(pattern_);
  if (found != kinds_.end()) return found->second;
  if (kinds_.size() >= kMostKinds) kinds_.clear();
  return kinds_.emplace(pattern_, classify(name)).first->second;
}

// How many weights one stored number holds. A packed integer holds as many as fit; a byte that is no float holds two
// unless the format says otherwise; a signed byte is one weight unless the format has fewer bits.
double WeightSum::packing(const Kind& kind, const StoredDtype& dtype) const {
  const bool integer = dtype.quantized && dtype.id < 0 && !dtype.name.starts_with('F');
  if (!integer || !kind.weight) return 1;
  const bool byte = dtype.bits == 8;
  const double bits = packed_bits_ > 0 ? packed_bits_ : 4;
  if (byte && !kind.packed && packed_bits_ == 0 && !dtype.name.starts_with('U')) return 1;
  return std::max(dtype.bits / bits, 1.0);
}

void WeightSum::add(const TensorInfo& tensor) {
  const Kind& kind = kind_of(tensor.name);
  const StoredDtype& dtype = *tensor.dtype;
  ModuleClass part = kind.part;
  // Vectors and scalars that are no bias of their own kind: state-space parameters, gates.
  if (part == ModuleClass::kLinear && !kind.scale && !dtype.quantized && tensor.dimensions != 2) {
    part = ModuleClass::kOther;
  }
  WeightShare& share = parts_[static_cast<std::size_t>(part)];
  share.tensors += 1;
  share.bytes = plus(share.bytes, tensor.bytes);
  const bool stored_quantized = kind.scale || (kind.weight && dtype.quantized);
  if (stored_quantized) share.quantized_bytes = plus(share.quantized_bytes, tensor.bytes);
  if (!kind.scale) {
    std::uint64_t parameters = tensor.elements;
    const double per_number = packing(kind, dtype);
    if (per_number > 1) parameters = static_cast<std::uint64_t>(static_cast<double>(tensor.elements) * per_number);
    share.parameters = plus(share.parameters, parameters);
  }
  ++tensors_;
  DtypeShare& stored = dtypes_[&dtype];
  stored.dtype = dtype.name;
  stored.tensors += 1;
  stored.bytes = plus(stored.bytes, tensor.bytes);
}

Weights WeightSum::result() const {
  Weights out;
  out.tensors = tensors_;
  out.parts = parts_;
  for (const WeightShare& share : parts_) {
    out.parameters = plus(out.parameters, share.parameters);
    out.bytes = plus(out.bytes, share.bytes);
  }
  for (const auto& [dtype, share] : dtypes_) out.dtypes.push_back(share);
  std::sort(out.dtypes.begin(), out.dtypes.end(), [](const DtypeShare& a, const DtypeShare& b) {
    return a.bytes != b.bytes ? a.bytes > b.bytes : a.dtype < b.dtype;
  });
  out.has_head = has_head_;
  return out;
}

}  // namespace quantmap
