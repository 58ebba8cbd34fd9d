// The tables of kernels.json: what attention backends and quantization methods of each release take.
#pragma once

#include <cstdint>
#include <string_view>

#include "quantmap/catalog/rows.hpp"
#include "quantmap/catalog/traits.hpp"

namespace quantmap {

// Head sizes between two ends that are multiples of a step.
struct HeadRun {
  std::uint16_t first;
  std::uint16_t last;
  std::uint16_t step;
};

// What a kernel may be asked for, each by itself; also the bits of KernelTakes::unsure.
enum class KernelPart : std::uint8_t { kGpu, kAttention, kSinks, kDtype, kKvCache, kHeadSize };
inline constexpr std::size_t kKernelParts = 6;

// A combination that is refused although each part of it is taken. Nothing named: whatever it is.
struct KernelException {
  std::uint8_t dtypes;  // bit i: KernelTables::dtypes[i]
  Rows<std::string_view> kv;
  std::int8_t sinks;  // 0, 1; -1: either
  Rows<std::uint16_t> heads;
};

// What a backend takes on some GPUs.
struct KernelTakes {
  std::uint16_t gpus;   // bit i: GPU class i
  std::uint8_t models;  // bit i: ModelKind i
  std::uint8_t dtypes;
  std::uint8_t unsure;  // bit i: the sources do not say for KernelPart i
  bool sinks;
  Rows<std::string_view> kv;
  Rows<std::string_view> maybe_kv;  // the sources do not say
  Rows<HeadRun> heads;              // none: every size
  Rows<KernelException> refuses;
};

struct BackendInterval {
  std::uint16_t since;        // release number
  std::uint16_t until;        // exclusive
  std::string_view platform;  // the only one that it is for, when that is another
  bool absent;                // the release has the name, and no code behind it
  Rows<KernelTakes> takes;
  std::string_view at;  // file and class
};

struct AttentionBackend {
  std::string_view name;
  Rows<BackendInterval> intervals;
};

// The backends that a release tries by itself, first to last.
struct BackendOrder {
  std::uint16_t since;
  std::uint16_t until;
  std::uint16_t gpus;
  std::uint8_t models;
  Rows<std::uint16_t> heads;  // none: every size
  Rows<std::string_view> kv;  // none: every value
  bool unsure;                // it depends on more than this
  Rows<std::uint16_t> order;  // indices into KernelTables::backends
};

struct MethodInterval {
  std::uint16_t since;
  std::uint16_t until;
  std::int16_t capability;  // the least, times ten; -1: not said
  std::uint8_t dtypes;      // of the model; 0: not said
  std::string_view at;
};

struct MethodLimits {
  std::string_view name;
  Rows<MethodInterval> intervals;
};

// The named backends for experts of one scheme, on some GPUs.
struct ExpertsTakes {
  std::uint16_t gpus;
  Rows<std::string_view> backends;
  Rows<std::string_view> maybe;  // the sources do not say
};

struct ExpertsInterval {
  std::uint16_t since;
  std::uint16_t until;
  Rows<ExpertsTakes> takes;
  std::string_view at;
};

struct ExpertsScheme {
  std::string_view id;
  Rows<ExpertsInterval> intervals;
};

// The kind of a model's layers of experts, by the model and the method that is asked for; "" stands for "not set", and
// no methods for any.
struct ExpertsOf {
  std::uint16_t since;
  std::uint16_t until;
  std::uint32_t checkpoints;
  std::uint16_t gpus;
  std::uint8_t models;
  TraitMask has;
  TraitMask lacks;
  std::uint32_t schemes;
  std::uint8_t dtypes;
  std::uint8_t kv_dtypes;
  Rows<std::string_view> methods;
  std::uint8_t scheme;  // index into KernelTables::experts
};

// A method whose name stands for another one on some checkpoints: what it takes is that one's.
struct MethodMeant {
  std::uint16_t since;
  std::uint16_t until;
  std::uint32_t checkpoints;
  Rows<std::string_view> methods;
  std::string_view as;
};

// Checkpoints whose own method, as their files name it, is asked of the release's list of methods.
struct OwnMethod {
  std::uint16_t since;
  std::uint16_t until;
  std::uint32_t checkpoints;
  Rows<std::string_view> names;  // the methods that are refused, for `text`; empty: the row is about any
  std::string_view text;
  Rows<std::string_view> beside;  // methods that may be asked for whatever the checkpoint's own is
  std::string_view argument;      // whose values are that list; empty: all that `methods` has
  std::int8_t unless;             // the target that, set, lets methods through that it takes no more; -1: none
  Rows<std::string_view> evidence;
};

// Which targets of the checked mode the tables speak of; -1: none.
struct KernelRoles {
  std::int8_t attention = -1;
  std::int8_t kv = -1;
  std::int8_t dtype = -1;
  std::int8_t method = -1;
  std::int8_t experts = -1;
};

struct KernelTables {
  Rows<std::string_view> dtypes;
  std::string_view unset;        // the value of a KV cache that nothing was said of
  std::uint16_t first_head = 0;  // sizes that were asked for: multiples of head_step between the ends
  std::uint16_t last_head = 0;
  std::uint16_t head_step = 1;
  Rows<AttentionBackend> backends;
  Rows<BackendOrder> orders;
  Rows<MethodLimits> methods;
  Rows<ExpertsScheme> experts;
  Rows<ExpertsOf> experts_of;
  Rows<MethodMeant> meant;
  Rows<OwnMethod> own;
  KernelRoles roles;
  Rows<std::string_view> by_head;  // types whose latent attention has keys and values for each head here
};

}  // namespace quantmap
