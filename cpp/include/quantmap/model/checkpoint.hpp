// What a checkpoint is: its quantization, its shape and its weights, from the headers of its files.
//
// Nothing is guessed that a file says. Only headers are read (config files, the beginning of each weight file), never
// a tensor. A bare model id has no files: then its name is all there is, and `evidence` says so.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quantmap/base/diagnostic.hpp"
#include "quantmap/base/value.hpp"
#include "quantmap/catalog/catalog.hpp"
#include "quantmap/model/architecture.hpp"

namespace quantmap {

// The best evidence at hand, worst first. Catalog: the id is that of a well-known model.
enum class Evidence : std::uint8_t { kName, kCatalog, kConfig, kHeaders };
[[nodiscard]] std::string_view name_of(Evidence evidence) noexcept;

struct FileRead {
  std::string name;  // relative to the checkpoint
  std::uint64_t size = 0;
  std::uint64_t bytes_read = 0;
};

// How one group of modules is quantized. Most checkpoints have one; compressed-tensors and mixed ones have several.
struct Scheme {
  std::vector<std::string> targets;     // as the file names them; empty: every linear layer
  std::string name;                     // "W4A16", "W8A8 FP8"
  double weight_bits = 0;               // 0: not said
  std::string weight_type;              // "int", "float", "nvfp4", "mxfp4"; empty: not said
  std::int64_t group_size = 0;          // inputs that share a scale; -1: a whole channel; 0: not said or per tensor
  std::array<std::int64_t, 2> block{};  // of block-wise scales, such as 128×128
  std::optional<bool> symmetric;
  bool ordered = false;  // groups are of weights in the order of their activations
  double activation_bits = 16;
  std::string activation_type;  // "int", "float"; empty: kept
  std::optional<bool> dynamic;  // activation scales are computed at run time
};

struct Quantization {
  std::size_t kind = 0;   // index into Catalog::checkpoint_kinds; 0: unquantized
  std::string method;     // quant_method in lower case, or what the file's format means; empty: unquantized
  std::string algorithm;  // the finer name beside it: quant_algo, checkpoint_format, format, packing
  std::string source;     // "config.json#/quantization_config"
  std::vector<Scheme> schemes;
  std::vector<std::string> excluded;  // modules left as they are, as the file names them
  std::string kv_dtype;               // the KV cache that the file asks for ("fp8", "int8", "nvfp4"); empty: none
  std::uint64_t section = 0;          // bit i: what the file says is such as Catalog::section_facts[i]
  std::optional<bool> kv_scales;      // scales for the KV cache are among the weights; nothing: headers not read

  [[nodiscard]] bool quantized() const noexcept { return kind != 0; }
};

// Where in a model a weight stands.
enum class ModuleClass : std::uint8_t { kLinear, kExperts, kEmbedding, kHead, kNorm, kOther };
inline constexpr std::size_t kModuleClasses = 6;
[[nodiscard]] std::string_view name_of(ModuleClass part) noexcept;

struct WeightShare {
  std::uint64_t tensors = 0;
  std::uint64_t parameters = 0;       // numbers of the model: packed ones unpacked, scales and zero points not counted
  std::uint64_t bytes = 0;            // all of it, scales included
  std::uint64_t quantized_bytes = 0;  // those of modules that are stored quantized, with their scales
};

struct DtypeShare {
  std::string dtype;  // as the file spells it: "BF16", "F8_E4M3", "Q4_K"
  std::uint64_t tensors = 0;
  std::uint64_t bytes = 0;
};

// Exact, from the headers of the weight files.
struct Weights {
  std::uint64_t tensors = 0;
  std::uint64_t parameters = 0;
  std::uint64_t bytes = 0;
  std::array<WeightShare, kModuleClasses> parts{};  // by ModuleClass
  std::vector<DtypeShare> dtypes;                   // most bytes first
  bool has_head = false;                            // an output layer of its own: embeddings are not tied
  bool complete = true;                             // no file that the index names is missing

  [[nodiscard]] const WeightShare& of(ModuleClass part) const noexcept { return parts[static_cast<std::size_t>(part)]; }
};

// What one engine makes of these files, by its own order of detection.
struct Detection {
  const Engine* engine = nullptr;
  std::string method;    // as the engine names it; empty: not quantized
  std::string source;    // the file that decided, or empty
  bool refused = false;  // the engine stops at start-up
  std::string reason;    // why refused, or what is notable
  std::vector<std::string_view> evidence;
};

// Files that do not say the same.
struct Disagreement {
  std::string subject;                                      // "method", "weight bits", "KV cache", ...
  std::vector<std::pair<std::string, std::string>> claims;  // source, what it says
  std::string consequence;                                  // what engines make of it
};

struct Checkpoint {
  std::string source;    // as given: a path, a model id; empty for a config
  std::string folder;    // where the files were found; empty: no files
  std::string revision;  // of a Hugging Face cache folder
  std::string format;    // "safetensors", "gguf"; empty: no weight file was read
  Evidence evidence = Evidence::kName;
  std::vector<FileRead> files;
  std::uint64_t bytes_read = 0;
  Quantization quantization;
  std::optional<Architecture> architecture;
  std::string family;          // general.architecture of a GGUF file, whatever else it says
  bool in_repository = false;  // a GGUF file named by the id of a repository and a type
  std::optional<Weights> weights;
  std::vector<Detection> detections;  // one for each engine of the catalogue
  std::vector<Disagreement> disagreements;
  Diagnostics notes;  // warnings and notes
};

// Reads a checkpoint: text is a folder, a file (.gguf, .safetensors, a config in JSON), a Hugging Face cache folder or
// a model id, which is looked for in the folder `cache` and among the well-known models; an object is the content of a
// config.json. Nothing when `problems` got an error.
[[nodiscard]] std::optional<Checkpoint> inspect_checkpoint(const Value& given, const Path& path, Diagnostics& problems,
                                                           std::string_view cache = {});
// What the name of a GGUF file says that is not on this machine: a path or an address that ends in .gguf, or the id of
// a repository with a type behind it, "owner/name:Q4_K_M". Nothing for any other name.
[[nodiscard]] std::optional<Checkpoint> unread_gguf(const std::string& named);
// The well-known model of this id, or null.
[[nodiscard]] const KnownModel* find_known_model(std::string_view id);

// The kind of checkpoint that a model's id names, an index into Catalog::checkpoint_kinds; 0: it names none.
[[nodiscard]] std::size_t kind_in_name(std::string_view id);

}  // namespace quantmap
