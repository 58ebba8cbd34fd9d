// How an engine divides a GPU's memory: its flags, defaults, layouts and peaks, as intervals of releases.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "quantmap/catalog/rows.hpp"

namespace quantmap {

// What a parameter of an engine means to its memory.
enum class MemoryRole : std::uint8_t {
  kFraction,         // the share of memory
  kContext,          // tokens of one sequence
  kSequences,        // sequences at the same time
  kBatchedTokens,    // tokens that one step computes at most
  kCacheBytes,       // of the KV cache
  kCacheTokens,      // of the KV cache
  kCacheBlocks,      // of the KV cache
  kBlockTokens,      // tokens of one block
  kTensor,           // GPUs that share each layer
  kPipeline,         // stages
  kData,             // copies of the attention, or of the whole engine
  kDataAttention,    // copies of the attention share the experts: a switch
  kExpert,           // experts are spread over all GPUs: a switch, or how many GPUs
  kContextParallel,  // GPUs that share the cache of one sequence
  kPrefillParallel,  // likewise, while the prompt is computed
  kEager,            // no CUDA graphs: a switch
  kOffloadGib,       // weights kept in the host's memory
  kLora,             // adapters: a switch
  kLoraRank,
  kLoras,            // adapters on the GPU at the same time
  kSpeculative,      // an object: method, model, tokens
  kDraftTokens,      // tokens of one speculative step
  kDraftMethod,      // its method
  kUnifiedCache,     // sliding layers keep every token: a switch
  kPrefixCaching,    // a switch
  kNoPrefixCaching,  // a switch
  kSlidingShare,     // tokens of the sliding pool for each of the full one
  kStateShare,       // memory of states for each of the KV cache
  kStateDtype,       // of the state of linear layers
  kTextOnly,         // the vision tower is not loaded: a switch
  kSkipMedia,        // no picture goes through the vision tower when the engine measures itself: a switch
  kVisionWhole,      // the vision tower is whole on each GPU: a switch
  kGraphLimit,       // sequences of the largest CUDA graph
  kGraphSizes,       // sequences of each CUDA graph, a list
  kExtraExperts,     // copies of experts beside the model's own
  kStates,           // states of linear layers that there is room for
  kDraftModel,       // the draft model's folder or id
  kNoDraft,          // drafts come from no model: a switch
  kDraftHead,        // drafts come from one layer on top of the model: a switch
  kDraftOutput,      // which reads several layers and has an output layer of its own: a switch
  kExpertKernel,     // the kernel of experts
  kWindows,          // tokens that the layers keep, one number for each kind of layer
  kPrefillGraphs,    // steps of prompts are captured: a switch
  kNoPrefillGraphs,  // they are not: a switch
  kByteCache,        // 8 bits for each cached number: a switch
  kWholeAttention,   // every GPU has all attention heads: a switch
  kSettings,         // the file of further arguments, until its content stands in its place
};
inline constexpr std::size_t kMemoryRoles = static_cast<std::size_t>(MemoryRole::kSettings) + 1;

// "--flag", or "--flag.key.key" of one that takes a JSON object or a file of settings.
struct MemoryFlag {
  MemoryRole role;
  std::string_view flag;
  Rows<std::string_view> when;  // of a switch: the values that turn it on; empty: as switches are written
};

// Tokens and sequences of a step when nothing is asked; the first row that holds.
struct BatchDefault {
  std::uint16_t since;
  std::uint16_t until;
  std::uint64_t at_least_mib;     // of the GPU
  std::int64_t above_context;     // and longer sequences than so many tokens
  Rows<std::string_view> except;  // products
  std::int64_t tokens;            // 0: as many as one sequence has
  std::int64_t sequences;
  std::int64_t scored;  // of them, when the engine measures itself
};

// What the engine keeps free by itself when no share is given; the first row that holds.
struct MemoryReserve {
  std::uint16_t since;
  std::uint16_t until;
  std::uint64_t below_mib;  // of the GPU
  std::int64_t tensor;      // at least so many GPUs share a layer
  double share;             // of memory for the engine; 0: computed from what follows
  double mib;
  double per_gpu_mib;
  double per_token_mib;     // of a step
  double per_sequence_mib;  // of the largest CUDA graph
  double per_copy_mib;      // of the same, for each copy of the attention
  double large_copy_mib;    // more of it, where that graph has over 300 sequences
  bool captures;            // steps of prompts are captured unless something speaks against it
  double prefill_mib;       // where they are
  double per_prefill_mib;   // and for each captured size
  double latent_mib;        // instead of these, for latent attention
  double floor_mib;
  std::uint64_t floor_above_mib;  // of the GPU
  double draft_mib;               // with speculative decoding
  double draft_model_mib;         // with a model of its own for that
};

// Sequences of the largest CUDA graph when nothing is asked; the first row that holds.
struct LargestGraph {
  std::uint16_t since;
  std::uint16_t until;
  std::uint64_t below_mib;  // of the GPU
  std::int64_t tensor;      // at least so many GPUs share a layer
  std::int64_t sequences;
};

// What is left of the computed share for a model with a vision tower, by how much larger it is than a usual one.
struct VisionShare {
  double share;  // 0: nothing is taken for it
  double slope;
  double layers;  // of the usual one; taken for one that does not say its own
  double width;
  double least;
  double most;
};

// Beside weights and cache, in the steps with which the engine measures itself.
struct MemoryPeak {
  std::uint16_t since;
  std::uint16_t until;
  std::uint64_t at_least_mib;  // of the GPU; the first row that holds
  double fixed_mib;            // buffers and workspaces outside PyTorch
  double peer_mib;             // more of them with several GPUs
  double hidden_copies;        // of the hidden size, for each token of a step
  double mlp_copies;           // of the MLP's width of this GPU, likewise
  double expert_copies;        // of the chosen experts' inputs and widths: a workspace that stays beside what follows
  double score_bytes;          // for each sequence and word of the vocabulary
  double graph_fixed_mib;      // CUDA graphs, where they count
  double graph_mib;            // for each layer and captured size
  bool graphs_inside;          // the share of memory holds them
};

// How the cache is laid out.
enum class CacheRule : std::uint8_t {
  kUniform,  // every layer keeps every token
  kGrouped,  // layers of one kind share block tables, all blocks have one size
  kPools,    // full and sliding layers have pools of their own
  kWindows,  // sliding layers keep their window
};
// What the number of tokens in the engine's log means.
enum class TokenReport : std::uint8_t { kBlocks, kConcurrency };

struct CacheLayout {
  std::uint16_t since;
  std::uint16_t until;
  CacheRule rule;
  TokenReport report;
  std::int64_t block;               // tokens
  double merge;                     // kinds of layers that differ less than so many times are padded to the larger
  std::int64_t states;              // blocks of a state that each sequence holds, with prefix caching
  double sliding_share;             // kPools: tokens of the sliding pool for each of the full one
  double state_share;               // kPools: memory of states for each of the KV cache
  bool wide_states;                 // states have 32 bits unless the model says otherwise
  std::int64_t lanes;               // sizes of cached vectors are stored in multiples of so many numbers
  std::int64_t word;                // bits in which tokens of a latent vector's block are packed; 0: they are not
  bool told;                        // kWindows: sliding layers keep every token unless the launch tells their windows
  Rows<std::string_view> families;  // whose sliding layers keep their window by themselves
};

// Weights of experts that a kernel stores in multiples of its tile.
struct KernelPadding {
  std::uint16_t since;
  std::uint16_t until;
  std::string_view weight_type;
  std::uint64_t gpus;  // classes
  std::int64_t hidden;
  std::int64_t width;
};

// Bits of one 4-bit weight of an expert with its scales, as the engine keeps them on the GPU; the first row that holds.
struct ExpertStorage {
  std::uint16_t since;
  std::uint16_t until;
  std::uint64_t gpus;              // classes
  Rows<std::string_view> kernels;  // empty: any
  double bits;
};

// How far the parts may be from the truth, from the calibration cases.
struct MemoryBand {
  double weights;  // a share of them
  double peak;     // a share of everything else
  double mib;
};

// A line of the engine's boot log: what it measured, as a regular expression with one group for each number.
struct LogLine {
  std::string_view part;
  std::string_view pattern;
  double unit;      // what a number is multiplied with
  double plus_mib;  // what the engine leaves out of the number
};

enum class FractionOf : std::uint8_t { kTotal, kFree };
enum class FractionHolds : std::uint8_t { kAll, kStatic, kCache };  // weights and all else; weights and KV cache; KV

struct MemoryPolicy {
  FractionOf of;
  FractionHolds holds;
  VisionShare vision;
  MemoryBand band;
  Rows<MemoryFlag> flags;
  Rows<std::string_view> neutral;  // flags that move no memory
  Rows<BatchDefault> batch;
  Rows<MemoryReserve> reserve;
  Rows<LargestGraph> graphs;
  Rows<MemoryPeak> peaks;
  Rows<CacheLayout> layouts;
  Rows<KernelPadding> padding;
  Rows<ExpertStorage> experts;  // of models that declare 4-bit experts
  Rows<LogLine> log;
  Rows<std::string_view> evidence;

  [[nodiscard]] bool known() const noexcept { return !flags.empty(); }
};

// What CUDA reports as the memory of a product, less than the driver does.
struct CudaMemory {
  std::string_view product;
  int gb;
  int mib;
};

struct MemoryFacts {
  int lost_mib;  // of what the driver reports, where no row says better
  Rows<CudaMemory> products;
};

}  // namespace quantmap
