// Adding up the tensors of weight files.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/model_files.hpp"
#include "quantmap/model/checkpoint.hpp"

namespace quantmap {

struct TensorInfo {
  std::string_view name;
  const StoredDtype* dtype = nullptr;
  std::uint64_t elements = 0;
  std::uint64_t bytes = 0;
  std::size_t dimensions = 0;
};

class WeightSum {
 public:
  // `packed_bits`: how many bits of a packed integer one weight takes; 0: not known.
  explicit WeightSum(double packed_bits) : packed_bits_(packed_bits) {}

  void add(const TensorInfo& tensor);
  [[nodiscard]] Weights result() const;
  [[nodiscard]] bool has_kv_scales() const noexcept { return kv_scales_; }
  // Whether some tensor's name ends with this component.
  [[nodiscard]] bool has_ending(std::string_view ending) const { return endings_.count(std::string(ending)) != 0; }

 private:
  // What a name says; the same for all names that differ only in numbers.
  struct Kind {
    ModuleClass part = ModuleClass::kOther;
    bool scale = false;   // a scale, a zero point or an index: no parameter
    bool packed = false;  // several weights in one stored number
    bool weight = false;  // the matrix itself
  };
  const Kind& kind_of(std::string_view name);
  Kind classify(std::string_view name);
  [[nodiscard]] double packing(const Kind& kind, const StoredDtype& dtype) const;

  double packed_bits_;
  bool kv_scales_ = false;
  bool has_head_ = false;
  std::uint64_t tensors_ = 0;
  std::array<WeightShare, kModuleClasses> parts_{};
  std::unordered_map<std::string, Kind> kinds_;
  std::map<std::string, bool> endings_;
  std::map<const StoredDtype*, DtypeShare> dtypes_;
  std::string pattern_;  // of the name at hand
};

// What one weight file holds, for the check against the index.
struct FileTensors {
  std::uint64_t count = 0;
  std::uint64_t name_sum = 0;  // of the hashes of all names
};
[[nodiscard]] std::uint64_t name_hash(std::string_view name) noexcept;

// Reads a header and adds its tensors. False when `problems` got an error.
bool read_safetensors(ModelFiles& files, const std::string& name, WeightSum& sum, FileTensors& found,
                      Diagnostics& problems);

// Reads a header: metadata as the keys of a config.json, and tensors. False when `problems` got an error.
struct GgufHeader {
  Value config;           // keys of config.json, as far as the metadata has them
  std::string file_type;  // general.file_type as a number, or empty
  std::uint64_t version = 0;
};
bool read_gguf(ModelFiles& files, const std::string& name, WeightSum& sum, GgufHeader& header, Diagnostics& problems);

}  // namespace quantmap
