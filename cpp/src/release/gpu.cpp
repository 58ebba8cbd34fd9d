#include "quantmap/release/gpu.hpp"
#include "quantmap/catalog/codes.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <vector>

#include "base/letters.hpp"
#include "quantmap/base/text.hpp"
#include "quantmap/config/validate.hpp"

namespace quantmap {

namespace {

constexpr std::size_t kLongestName = 200;
constexpr std::uint64_t kGigabyte = 1'000'000'000;
constexpr std::uint64_t kBytesOfMib = 1'048'576;

using Words = std::vector<std::string>;

bool holds(std::span<const std::string_view> words, std::string_view word) noexcept {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// "nvidia a100-sxm4-80gb" → nvidia a100 sxm4 80gb
Words name_words(std::string_view name) {
  Words out;
  std::string word;
  for (const char c : name) {
    if (is_alnum(c)) {
      word += c;
    } else if (!word.empty()) {
      out.push_back(std::move(word));
      word.clear();
    }
  }
  if (!word.empty()) out.push_back(std::move(word));
  return out;
}

std::optional<int> number_in(std::string_view digits) noexcept {
  int number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size() || number < 0) return std::nullopt;
  return number;
}

// "sm_90a", "compute_100f", "cc 8.9" → 90, 100, 8.9
std::string_view bare_capability(std::string_view text) {
  for (const std::string_view prefix : {"sm", "compute", "cc"}) {
    if (!text.starts_with(prefix)) continue;
    text.remove_prefix(prefix.size());
    if (text.starts_with('_') || text.starts_with(' ') || text.starts_with('-')) text.remove_prefix(1);
    break;
  }
  if (text.size() > 2 && (text.ends_with('a') || text.ends_with('f'))) text.remove_suffix(1);
  return text;
}

// A compute capability, with or without its dot → times ten
std::optional<int> read_capability(std::string_view text) {
  text = bare_capability(text);
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos) return text.size() == 2 || text.size() == 3 ? number_in(text) : std::nullopt;
  const auto major = number_in(text.substr(0, dot));
  const auto minor = number_in(text.substr(dot + 1));
  if (text.size() != dot + 2 || !major || !minor || *major > 99) return std::nullopt;
  return *major * 10 + *minor;
}

// "80gb", "80g", "80gib", or 80 and gb in two words: the number.
std::optional<int> memory_word(const Words& words, std::size_t at, std::size_t& used) {
  constexpr std::string_view kUnits[] = {"gb", "gib", "g"};
  const std::string_view word = words[at];
  for (const std::string_view unit : kUnits) {
    if (word.size() > unit.size() && word.substr(word.size() - unit.size()) == unit) {
      used = 1;
      if (const auto number = number_in(word.substr(0, word.size() - unit.size()))) return number;
    }
  }
  if (at + 1 < words.size() && holds(kUnits, words[at + 1])) {
    used = 2;
    return number_in(word);
  }
  return std::nullopt;
}

struct Match {
  const GpuProduct* product = nullptr;
  std::size_t words = 0;  // of the name that it covers
};

// The product with the longest name that the words begin with, however they are divided.
Match match_product(const Words& words, std::size_t begin) {
  Match best;
  if (begin >= words.size() || words[begin].empty()) return best;
  const char first = words[begin].front();
  for (const GpuProduct& product : catalog().hardware.products) {
    for (const std::string_view known : product.names) {
      const auto letter = std::find_if(known.begin(), known.end(), is_alnum);
      if (letter == known.end() || *letter != first) continue;  // most names begin otherwise
      std::string wanted;
      std::copy_if(known.begin(), known.end(), std::back_inserter(wanted), is_alnum);
      std::string joined;
      for (std::size_t i = begin; i < words.size() && joined.size() < wanted.size(); ++i) {
        joined += words[i];
        if (joined == wanted && i + 1 - begin > best.words) best = {&product, i + 1 - begin};
      }
    }
  }
  return best;
}

// "rtx4090" → 4090
void drop_vendor(std::string& word) {
  for (const std::string_view vendor : catalog().hardware.vendor_words) {
    if (word.size() > vendor.size() && word.compare(0, vendor.size(), vendor) == 0) word.erase(0, vendor.size());
  }
}

void take_memory(const GpuMemory& memory, Gpu& gpu) {
  gpu.sold_gb = memory.gb;
  gpu.reported = memory.reported_mib > 0;
  gpu.memory_bytes = gpu.reported ? static_cast<std::uint64_t>(memory.reported_mib) * kBytesOfMib
                                  : static_cast<std::uint64_t>(memory.gb) * kGigabyte;
}

// What stands behind the product's name: form words, and what says how much memory. False when a word means nothing.
bool read_rest(const Words& words, std::size_t at, Gpu& gpu) {
  const std::span<const GpuMemory> sizes = gpu.product->memory;
  const GpuMemory* chosen = nullptr;
  int slice = 0;
  bool is_slice = false;
  while (at < words.size()) {
    const auto by_word =
        std::find_if(sizes.begin(), sizes.end(), [&](const GpuMemory& size) { return holds(size.words, words[at]); });
    std::size_t used = 1;
    if (by_word != sizes.end()) {
      chosen = &*by_word;
    } else if (words[at] == "mig") {
      is_slice = true;
    } else if (const auto gb = memory_word(words, at, used)) {
      const auto by_size = std::find_if(sizes.begin(), sizes.end(), [&](const GpuMemory& s) { return s.gb == *gb; });
      if (is_slice) {
        slice = *gb;  // "MIG 1g.10gb": the last number is the memory
      } else if (by_size == sizes.end()) {
        return false;
      } else {
        chosen = &*by_size;
      }
    } else if (!holds(catalog().hardware.form_words, words[at])) {
      return false;
    }
    at += used;
  }
  gpu.size_assumed = chosen == nullptr && sizes.size() > 1;
  if (chosen == nullptr && !sizes.empty()) chosen = &sizes.front();
  if (chosen != nullptr) take_memory(*chosen, gpu);
  if (is_slice) {
    gpu.sold_gb = slice;
    gpu.memory_bytes = static_cast<std::uint64_t>(slice) * kGigabyte;
    gpu.reported = gpu.size_assumed = false;
  }
  return true;
}

std::optional<Gpu> of_capability(int capability) {
  Gpu gpu;
  gpu.capability = capability;
  gpu.gpu_class = gpu_class_of(capability);
  if (gpu.gpu_class == 0 || capability > 999) return std::nullopt;
  return gpu;
}

std::string sizes_of(const GpuProduct& product) {
  std::string out;
  for (const GpuMemory& size : product.memory) out += (out.empty() ? "" : ", ") + std::to_string(size.gb);
  return out;
}

// Another number is another product: H99 is no H20, and A101 may be an A100.
bool is_one_slip(std::string_view word, std::string_view name) {
  if (word.substr(0, name.size()) == name || name.substr(0, word.size()) == word) return true;
  if (word.size() != name.size() || word.front() != name.front()) return false;
  std::size_t different = 0;
  for (std::size_t i = 0; i < word.size(); ++i) different += word[i] == name[i] ? 0 : 1;
  return different == 1;
}

void report_unknown(std::string_view name, const Words& words, std::size_t begin, const Match& match, const Path& path,
                    Diagnostics& problems) {
  std::string hint;
  if (match.product != nullptr) {
    hint = "write " + std::string(match.product->name) + ", sold with " + sizes_of(*match.product) + " GB";
  } else if (begin < words.size() && words[begin].front() > '9') {
    std::vector<std::string_view> known;
    const std::string_view word = head(words[begin], 40);
    for (const GpuProduct& product : catalog().hardware.products) {
      std::copy_if(product.names.begin(), product.names.end(), std::back_inserter(known),
                   [word](std::string_view one) { return is_one_slip(word, one); });
    }
    const std::string_view near = nearest(word, known);
    for (const GpuProduct& product : catalog().hardware.products) {
      if (holds(product.names, near)) hint = "did you mean '" + std::string(product.name) + "'?";
    }
  }
  if (hint.empty()) hint = "write a product such as H100 or L40S, or a compute capability such as 9.0";
  problems.add(Code::kUnknownGpu, path.str(), {{"value", quote(name)}, {"hint", hint}});
}

}  // namespace

std::size_t gpu_class_of(int capability) noexcept {
  const auto& classes = catalog().gpu_classes;
  std::size_t found = 0;
  for (std::size_t i = 1; i < classes.size(); ++i) {
    if (capability >= classes[i].floor) found = i;
  }
  return found;
}

const GpuCapability* capability_info(int capability) noexcept {
  const GpuCapability* found = nullptr;
  for (const GpuCapability& row : catalog().hardware.capabilities) {
    if (row.capability <= capability) found = &row;
  }
  return found;
}

const OtherMaker* other_maker(std::string_view name) {
  const Words words = name_words(lower(trim(head(name, kLongestName))));
  for (const OtherMaker& other : catalog().hardware.others) {
    if (std::any_of(words.begin(), words.end(), [&](const std::string& word) { return holds(other.words, word); })) {
      return &other;
    }
  }
  return nullptr;
}

std::optional<Gpu> find_gpu(std::string_view name, const Path& path, Diagnostics& problems) {
  const std::string wanted = lower(trim(head(name, kLongestName)));
  const Catalog& all = catalog();
  if (const auto capability = read_capability(wanted)) {
    if (auto gpu = of_capability(*capability)) return gpu;
  }
  Words words = name_words(wanted);
  std::size_t begin = 0;
  while (begin < words.size() && holds(all.hardware.vendor_words, words[begin])) ++begin;
  if (begin < words.size()) drop_vendor(words[begin]);
  const Match match = match_product(words, begin);
  if (match.product != nullptr) {
    Gpu gpu;
    gpu.product = match.product;
    gpu.name = match.product->name;
    gpu.capability = match.product->capability;
    gpu.gpu_class = gpu_class_of(gpu.capability);
    if (read_rest(words, begin + match.words, gpu)) return gpu;
  }
  if (const OtherMaker* other = other_maker(wanted); other != nullptr) {
    problems.add(Code::kNotAnNvidiaGpu, path.str(), {{"value", quote(name)}, {"reason", std::string(other->reason)}});
    return std::nullopt;
  }
  report_unknown(name, words, begin, match, path, problems);
  return std::nullopt;
}

namespace {

constexpr const char* kExpected = "a GPU's name or compute capability";

// What a machine reports. Its own numbers win over the catalogue's.
class ReportReader {
 public:
  ReportReader(const Path& path, Diagnostics& problems) : path_(path), problems_(problems) {}

  std::optional<Gpu> read(const Value& value) {
    for (const auto& [key, part] : value.members()) {
      if (!read_part(value, key, part)) return std::nullopt;
    }
    if (gpu_.gpu_class != 0) return std::move(gpu_);
    report_wrong_type(value, kExpected, path_, problems_);
    return std::nullopt;
  }

 private:
  bool read_part(const Value& whole, const std::string& key, const Value& part) {
    const Path at(path_, key);
    if (key == "name" && part.is_text()) {
      gpu_.name = part.as_text();
      return true;
    }
    if (key == "capability" && part.is_text()) return read_capability_of(part, at);
    if (key == "memory_bytes" && part.kind() == Value::Kind::kInteger) return read_memory(part, at);
    if (key == "others" && part.is_array()) return read_others(part);
    report_wrong_type(whole, kExpected, at, problems_);
    return false;
  }

  bool read_capability_of(const Value& part, const Path& at) {
    const auto capability = read_capability(lower(trim(part.as_text())));
    const auto known = capability ? of_capability(*capability) : std::nullopt;
    if (!known) {
      problems_.add(Code::kUnknownGpu, at.str(), {{"value", quote(part.as_text())}});
      return false;
    }
    gpu_.capability = known->capability;
    gpu_.gpu_class = known->gpu_class;
    return true;
  }

  bool read_memory(const Value& part, const Path& at) {
    const std::string& digits = part.as_text();
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), gpu_.memory_bytes);
    if (error != std::errc() || end != digits.data() + digits.size()) {
      report_wrong_type(part, "a number of bytes", at, problems_);
      return false;
    }
    gpu_.reported = gpu_.memory_bytes > 0;
    return true;
  }

  // The other GPUs of the machine, when they are not of the same kind.
  bool read_others(const Value& part) {
    std::string names;
    for (const Value& item : part.items()) names += (names.empty() ? "" : ", ") + one_line(item.as_text(), 60);
    if (!names.empty()) problems_.add(Code::kGpusDiffer, path_.str(), {{"value", gpu_.name}, {"known", names}});
    return true;
  }

  const Path& path_;
  Diagnostics& problems_;
  Gpu gpu_;
};

}  // namespace

std::optional<Gpu> read_gpu(const Value& value, const Path& path, Diagnostics& problems) {
  switch (value.kind()) {
    case Value::Kind::kText:
    case Value::Kind::kInteger: return find_gpu(value.as_text(), path, problems);
    case Value::Kind::kReal: return find_gpu(python_float(value.as_real()), path, problems);
    case Value::Kind::kObject: return ReportReader(path, problems).read(value);
    default: report_wrong_type(value, kExpected, path, problems); return std::nullopt;
  }
}

}  // namespace quantmap
