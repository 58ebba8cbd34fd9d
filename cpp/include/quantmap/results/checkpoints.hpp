// What a checkpoint's results hold, where their fields are no members of the same name.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "quantmap/model/checkpoint.hpp"
#include "quantmap/results/launches.hpp"

namespace quantmap::results {

template <>
struct Read<FileRead> {
  using Class = classes::FileRead;
};

template <>
struct Read<Scheme> {
  using Class = classes::Scheme;
  static std::optional<std::pair<std::int64_t, std::int64_t>> block(const Scheme& it) {
    if (it.block[0] == 0) return std::nullopt;
    return std::pair(it.block[0], it.block[1]);
  }
};

template <>
struct Read<Quantization> {
  using Class = classes::QuantizationInfo;
  static std::string_view kind(const Quantization& it) { return catalog().checkpoint_kinds[it.kind].id; }
  static std::string_view title(const Quantization& it) { return catalog().checkpoint_kinds[it.kind].title; }
};

template <>
struct Read<Layer> {
  using Class = classes::Layer;
};
template <>
struct Read<Mla> {
  using Class = classes::Mla;
};
template <>
struct Read<Experts> {
  using Class = classes::Experts;
};

template <>
struct Read<Architecture> {
  using Class = classes::Architecture;
  static const Mla* mla(const Architecture& it) { return it.is_mla() ? &it.mla : nullptr; }
  static const Experts* experts(const Architecture& it) { return it.is_moe() ? &it.experts : nullptr; }
};

template <>
struct Read<WeightShare> {
  using Class = classes::WeightShare;
};

template <>
struct Read<DtypeShare> {
  using Class = classes::DtypeShare;
};

template <>
struct Read<Weights> {
  using Class = classes::Weights;
  static auto parts(const Weights& it) {
    std::vector<std::pair<std::string_view, const WeightShare&>> out;
    for (std::size_t i = 0; i < kModuleClasses; ++i)
      out.emplace_back(name_of(static_cast<ModuleClass>(i)), it.parts[i]);
    return out;
  }
};

template <>
struct Read<Detection> {
  using Class = classes::Detection;
  static std::string_view engine_name(const Detection& it) { return it.engine->name; }
};

template <>
struct Read<Disagreement> {
  using Class = classes::Disagreement;
};

template <>
struct Read<Checkpoint> {
  using Class = classes::CheckpointInfo;
};

}  // namespace quantmap::results
