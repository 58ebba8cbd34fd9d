// Which kernels a release has for a deployment: attention backends and quantization methods, asked by what the
// release's own predicates say of each GPU, kind of attention, type and size.
//
// What is not known refuses nothing: a GPU, a model or a size that was not given leaves an answer open.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quantmap/deployment/constraints.hpp"

namespace quantmap {

// What is asked of a kernel. 0, -1 and nothing stand for "not known".
struct KernelQuery {
  ReleaseNumber release = 0;
  std::size_t gpu = 0;         // index into Catalog::gpu_classes
  std::size_t model = 0;       // ModelKind
  std::int64_t head_size = 0;  // of the keys; of the compressed vector and its positions for latent attention
  std::optional<bool> sinks;   // the model has attention sinks
  int dtype = -1;              // index into KernelTables::dtypes
  std::string_view kv;         // as an argument spells it
};

// Keeps a view of the values.
[[nodiscard]] KernelQuery kernel_query(const Engine& engine, const Deployment& deployment, const TargetValues& values);

enum class Fits : std::uint8_t {
  kYes,
  kDepends,  // on what was not given
  kUnsure,   // the release's sources do not say
  kNo
};

struct BackendAnswer {
  const AttentionBackend* backend = nullptr;
  const BackendInterval* interval = nullptr;
  Fits fits = Fits::kNo;
  std::uint8_t lacks = 0;  // bit i: KernelPart i is refused
  bool together = false;   // each part is taken, and not all of them at once
};

// The backend of that name in a release, or null. Case does not matter.
[[nodiscard]] const AttentionBackend* find_backend(const Engine& engine, std::string_view name) noexcept;
// Nothing when nothing is known of the backend in this release.
[[nodiscard]] std::optional<BackendAnswer> ask_backend(const Engine& engine, const KernelQuery& query,
                                                       const AttentionBackend& backend);
// "it takes no fp8 KV cache on sm80": why the answer is no; empty for another answer.
[[nodiscard]] std::string reason_of(const Engine& engine, const KernelQuery& query, const BackendAnswer& answer);

// What a release takes by itself when no backend is named.
struct AttentionChoice {
  std::vector<BackendAnswer> tried;  // in the release's own order
  std::optional<std::size_t> taken;  // index into `tried`
  bool certain = false;  // nothing that was not given, and nothing that the sources leave open, could change it

  // Every backend refuses. Where none is for the model's attention at all, the tables do not know it.
  [[nodiscard]] bool none() const noexcept;
};
// Nothing when release, GPU or model are not known well enough to say an order.
[[nodiscard]] std::optional<AttentionChoice> choose_attention(const Engine& engine, const KernelQuery& query);

// Each part of the model, and what it will really be computed or stored in; last the kernels, as
// "backend": "FLASH_ATTN, the choice of vLLM 0.33.0". What is not known is left out.
struct Real {
  std::string_view of;
  std::string is;
};
[[nodiscard]] std::vector<Real> real_precision(const Engine& engine, const Deployment& deployment,
                                               const TargetValues& values);

// Values that no kernel serves, and the target to tell it about.
inline constexpr std::size_t kWholeLaunch = static_cast<std::size_t>(-1);  // nothing that is set: the model itself
struct KernelRefusal {
  std::size_t target = 0;
  const AttentionBackend* backend = nullptr;  // the one that was named
  const MethodLimits* method = nullptr;       // the method that was named; none of them: no backend is valid
  bool assumed = false;                       // the sources leave it open
  const ExpertsScheme* experts = nullptr;     // the experts that the named backend is not for
  const OwnMethod* own = nullptr;             // the checkpoint's own method is refused, or another one beside it
  Stage stage = Stage::kStart;
};
[[nodiscard]] std::optional<KernelRefusal> refused_by_kernels(const Engine& engine, const Deployment& deployment,
                                                              const TargetValues& values, bool apart = false);

struct KernelReason {
  std::string text;
  std::vector<std::string> evidence;
};
[[nodiscard]] KernelReason reason_of(const Engine& engine, const Deployment& deployment, const TargetValues& values,
                                     const KernelRefusal& refusal);

}  // namespace quantmap
