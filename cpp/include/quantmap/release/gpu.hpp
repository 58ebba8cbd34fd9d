// Which GPU is meant: a product as people or nvidia-smi write it, a compute capability, or what a machine reports.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "quantmap/base/diagnostic.hpp"
#include "quantmap/base/value.hpp"
#include "quantmap/catalog/catalog.hpp"

namespace quantmap {

struct Gpu {
  std::size_t gpu_class = 0;  // index into Catalog::gpu_classes; 0: none
  int capability = 0;         // times ten
  const GpuProduct* product = nullptr;
  std::string name;                // as sold, or as the machine reports it; empty for a bare capability
  std::uint64_t memory_bytes = 0;  // 0: not known
  int sold_gb = 0;                 // 0: not known
  bool reported = false;           // memory_bytes is what a driver reports, else 10^9 for each GB sold: a lower bound
  bool size_assumed = false;       // sold in several sizes and the name says none: the first is taken
};

// The class of a compute capability (times ten), or 0.
[[nodiscard]] std::size_t gpu_class_of(int capability) noexcept;
// The first row that is not above the capability; nothing for one that is too old.
[[nodiscard]] const GpuCapability* capability_info(int capability) noexcept;

// "H100", "NVIDIA GeForce RTX 4090", "A100-SXM4-80GB", "9.0", "sm_90a", "sm100". Nothing when `problems` got an error.
[[nodiscard]] std::optional<Gpu> find_gpu(std::string_view name, const Path& path, Diagnostics& problems);

// Whose accelerator a name means, when it is not NVIDIA's.
[[nodiscard]] const OtherMaker* other_maker(std::string_view name);

// A name or a capability as above, a number, or an object that a machine reports: name, capability, memory_bytes, and
// `others`, the names of GPUs of another kind beside it.
[[nodiscard]] std::optional<Gpu> read_gpu(const Value& value, const Path& path, Diagnostics& problems);

}  // namespace quantmap
