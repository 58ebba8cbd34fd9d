// What an estimate of memory and a GPU hold, where their fields are no members of the same name.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "quantmap/memory/fit.hpp"
#include "quantmap/results/launches.hpp"

namespace quantmap::results {

template <>
struct Read<MemoryFit> {
  using Class = classes::Fit;
  using Of = const MemoryFit&;
  static const Engine* engine(Of it) { return it.mapping.engine; }
  static std::string_view engine_name(Of it) { return it.mapping.engine->name; }
  static std::string_view version(Of it) {
    return it.mapping.engine->surface.releases[it.mapping.deployment.release].version;
  }
  static const std::string& preset(Of it) { return it.mapping.config.preset; }
  static Value config(Of it) { return to_value(it.mapping.config); }
  static auto precision(Of it) { return precision_of(it.mapping); }
  static std::string_view gpu(Of it) {
    if (!it.gpu) return {};
    return it.gpu->name.empty() ? catalog().gpu_classes[it.gpu->gpu_class].id : std::string_view(it.gpu->name);
  }
  static std::uint64_t memory_bytes(Of it) { return it.gpu ? it.gpu->memory_bytes : 0; }
  static std::int64_t tp(Of it) { return it.parallel.tensor; }
  static std::int64_t pp(Of it) { return it.parallel.pipeline; }
  static std::pair<double, double> kv_budget_band(Of it) { return {it.kv_budget_band.low, it.kv_budget_band.high}; }
  static std::pair<std::int64_t, std::int64_t> tokens_band(Of it) {  // a token that is not whole is none
    return {static_cast<std::int64_t>(it.tokens_band.low), static_cast<std::int64_t>(it.tokens_band.high)};
  }
  static double memory_fraction(Of it) { return it.fraction; }
  static std::int64_t longest_context(Of it) { return it.longest; }
  static const Diagnostics& diagnostics(Of it) { return it.mapping.diagnostics; }
};

// "9.0", of a compute capability times ten.
[[nodiscard]] inline std::string dotted(int capability) {
  return std::to_string(capability / 10) + "." + std::to_string(capability % 10);
}

template <>
struct Read<Gpu> {
  using Class = classes::GpuInfo;
  static std::string_view product(const Gpu& it) { return it.product == nullptr ? std::string_view() : it.product->id; }
  static std::string capability(const Gpu& it) { return dotted(it.capability); }
  static std::string_view gpu_class(const Gpu& it) { return catalog().gpu_classes[it.gpu_class].id; }
  static std::string_view architecture(const Gpu& it) { return catalog().gpu_classes[it.gpu_class].title; }
  static int memory_gb(const Gpu& it) { return it.sold_gb; }
  static bool memory_reported(const Gpu& it) { return it.reported; }
  static bool memory_assumed(const Gpu& it) { return it.size_assumed; }
  static std::string_view cuda(const Gpu& it) {
    const GpuCapability* row = capability_info(it.capability);
    return row == nullptr ? std::string_view() : row->cuda;
  }
  static std::string_view last_cuda(const Gpu& it) {
    const GpuCapability* row = capability_info(it.capability);
    return row == nullptr ? std::string_view() : row->last_cuda;
  }
  static std::span<const std::string_view> evidence(const Gpu& it) {
    return it.product == nullptr ? std::span<const std::string_view>() : it.product->evidence;
  }
};

}  // namespace quantmap::results
