// What is served where: everything outside the config that decides.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "quantmap/catalog/catalog.hpp"
#include "quantmap/deployment/model_facts.hpp"
#include "quantmap/release/argument_schema.hpp"

namespace quantmap {

// Everything outside the config that decides: mode, release, checkpoint, model, GPU.
struct Deployment {
  bool checked = false;
  ReleaseNumber release = 0;
  std::size_t checkpoint = 0;                 // index into Catalog::checkpoint_kinds
  std::size_t model = 0;                      // ModelKind: the attention of an inspected model; 0: not inspected
  std::size_t gpu = 0;                        // index into Catalog::gpu_classes; 0: not given
  bool activations = true;                    // for engines whose settings tell weights and activations apart
  bool arguments_only = false;                // no files and no variables: what get_runtime_args can return
  std::int64_t head_size = 0;                 // what attention kernels are asked for; 0: not known
  ModelMarks marks{};                         // the rest of what rules ask of a model
  std::shared_ptr<const ModelFacts> facts{};  // its numbers; null: no files of it were read
  bool experts = false;                       // the model is known to have experts
};

[[nodiscard]] inline bool in_mask(std::uint64_t mask, std::size_t index) noexcept {
  return ((mask >> index) & 1U) != 0;
}

// Whether a row or rule is about this checkpoint and model.
template <typename Item>
[[nodiscard]] bool is_about_model(const Item& item, const Deployment& deployment) noexcept {
  const ModelMarks& marks = deployment.marks;
  return in_mask(item.checkpoints, deployment.checkpoint) && in_mask(item.models, deployment.model) &&
         (item.has & ~marks.has) == 0 && (item.lacks & ~marks.lacks) == 0 && (item.schemes & marks.schemes) != 0 &&
         in_mask(item.dtypes, marks.dtype) && in_mask(item.kv_dtypes, marks.kv_dtype);
}

// Whether it is about this checkpoint, model and GPU.
template <typename Item>
[[nodiscard]] bool is_about(const Item& item, const Deployment& deployment) noexcept {
  return is_about_model(item, deployment) && in_mask(item.gpus, deployment.gpu);
}

}  // namespace quantmap
