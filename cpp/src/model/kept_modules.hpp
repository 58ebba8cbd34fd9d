// Modules that a checkpoint leaves as they are, by the names that its file lists.
//
// Files name them in several ways: whole ("model.layers.0.mlp.down_proj"), the end of a name ("lm_head"), a part of
// it ("visual"), with stars, or as a regular expression behind "re:". Names differ in front of "layers."; what follows
// is compared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "quantmap/catalog/catalog.hpp"
#include "quantmap/model/checkpoint.hpp"
#include "quantmap/pattern/pattern.hpp"

namespace quantmap {

class KeptModules {
 public:
  explicit KeptModules(const std::vector<std::string>& names);

  [[nodiscard]] bool empty() const noexcept { return whole_.empty() && words_.empty() && patterns_.empty(); }
  // Whether the list holds more patterns than are read: any module may be among them then.
  [[nodiscard]] bool cut() const noexcept { return cut_; }
  // Whether a module of this name is kept in every layer: what need not be asked for each.
  [[nodiscard]] bool keeps_everywhere(std::string_view name) const;
  // Whether the module "layers.LAYER.NAME" is among them, and not everywhere.
  [[nodiscard]] bool keeps_here(std::size_t layer, std::string_view name) const;
  // Whether it says anything about a module: its whole name, or with "layers." in front a name that any layer has.
  [[nodiscard]] bool names(std::string_view module, std::size_t layers) const;

 private:
  struct Named {
    Pattern pattern;
    bool numbered;  // it may tell layers apart
  };
  [[nodiscard]] bool keeps_by_name(const std::string& layer, std::string_view name) const;
  [[nodiscard]] bool matches(std::size_t layer, std::string_view name, bool numbered) const;

  std::unordered_set<std::string> whole_;  // from "layers." on
  std::vector<std::string> words_;         // parts of a name
  std::vector<Named> patterns_;
  bool numbered_ = false;
  bool cut_ = false;
};

// Parts of a model by whose width its weights are divided among GPUs.
enum class ModelPart : std::uint8_t { kAttention, kMlp, kExperts, kSharedExperts, kState };

// Bit i: a scheme quantizes ModelPart i in some layer. What a file names otherwise than any family does counts as
// quantized.
[[nodiscard]] std::uint8_t parts_of(const Scheme& scheme, const KeptModules& kept, const Architecture& model);

// The traits of Catalog::traits that are about modules which a checkpoint quantizes.
[[nodiscard]] TraitMask quantized_traits(const Quantization& quantization, const KeptModules& kept,
                                         const Architecture& model);

// Whether a compressed-tensors or ModelOpt target ("Linear", a name, "re:...") means the module.
[[nodiscard]] bool targets_module(const std::vector<std::string>& targets, std::size_t layer, std::string_view name);

}  // namespace quantmap
