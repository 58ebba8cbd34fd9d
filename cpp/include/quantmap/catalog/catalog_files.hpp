// The part of the catalogue that reads model files: how they name formats, and what engines make of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "quantmap/catalog/rows.hpp"

namespace quantmap {

// A fact of a claim having one of these values; no values: having any.
struct FactTerm {
  std::string_view fact;
  Rows<std::string_view> values;
};

struct FactPair {
  std::string_view fact;
  std::string_view value;
};

// What a format means; the first row whose terms hold is taken.
struct FormatRow {
  Rows<FactTerm> when;
  int kind;  // index into Catalog::checkpoint_kinds; -1: what the method's name says
  Rows<FactPair> fill;
};

// What an engine makes of a claim; the first row whose terms hold is taken.
struct DetectionRow {
  Rows<FactTerm> when;
  std::string_view name;  // the engine's name; "=fact" is what the claim says
  bool refused;
  std::string_view why;
  Rows<std::string_view> evidence;
};

struct EngineDetection {
  std::string_view engine;
  Rows<std::uint8_t> order;  // of sources; the first that says something decides
  Rows<DetectionRow> rows;
  Rows<std::string_view> evidence;
};

// Tensors that only one kind of format has.
struct Signature {
  Rows<std::string_view> tensors;
  std::string_view means;
};

// A number of a model's shape that a trait can ask for.
enum class TraitNumber : std::uint8_t {
  kNone,
  kExperts,
  kWindowLayers,
  kStateLayers,
  kLargestHead,
  kSectionInConfig,
  kOrderedGroups,
  kAsymmetricGroups,
  kLayers,
  kFileInRepository
};

// What rules ask of a model beside its attention: one of these types, one of these keys, so large a number, or what is
// said of it beside them.
struct Trait {
  std::string_view id;
  std::string_view title;
  Rows<std::string_view> model_types;
  Rows<std::string_view> keys;
  TraitNumber number;
  std::int64_t least;
  std::int64_t most;  // 0: any
  int section;        // of Catalog::section_facts, or -1: the section of quantization says it
  // Modules of which the checkpoint leaves none as it is; those that begin with "layers." are of every layer.
  Rows<std::string_view> quantized;
};

// What one place in a section of quantization says. The place is a list of keys; "*" is any member or item.
struct SectionTerm {
  Rows<std::string_view> at;
  Rows<std::string_view> values;  // none: anything but null
  bool others;                    // it says something, and none of these
  bool absent;                    // nothing of that stands there
};

// What a loader asks of the section of quantization: all terms hold, of the same member where `in` names several.
struct SectionFact {
  std::string_view id;
  std::string_view title;
  Rows<std::string_view> in;
  Rows<SectionTerm> terms;
};

// How a group of modules is quantized, whatever the kind of the checkpoint.
struct SchemeKind {
  std::string_view id;
  std::string_view title;
  std::uint32_t kinds;  // of checkpoints, as a mask
  double least_weight_bits;
  double most_weight_bits;
  Rows<std::string_view> weight_types;  // none: any
  double least_activation_bits;
  double most_activation_bits;
  Rows<std::string_view> activation_types;  // none: any
  bool blocks;                              // only with scales for blocks
};

struct DetectionTables {
  Rows<std::string_view> sources;
  Rows<FactPair> implied;    // source → method
  Rows<FactPair> producers;  // producer → method
  Rows<FormatRow> formats;
  Rows<Signature> signatures;
  Rows<FactPair> name_words;          // word of a model id → method
  Rows<std::string_view> name_after;  // words that may follow it
  Rows<EngineDetection> engines;
};

struct StoredDtype {
  std::string_view name;
  std::int64_t id;      // GGUF's number
  std::uint32_t bits;   // of one value; 0 for GGUF
  std::uint32_t block;  // values in a block
  std::uint32_t bytes;  // of a block
  bool quantized;
};

// Which part of a model a tensor belongs to; the first row that fits its name is taken.
struct PartRow {
  std::uint8_t part;                // ModuleClass
  Rows<std::string_view> names;     // whole names
  Rows<std::string_view> words;     // one component
  Rows<std::string_view> contains;  // inside a component
  Rows<std::string_view> last;      // the module's own name
};

struct WeightTables {
  Rows<StoredDtype> safetensors;
  Rows<StoredDtype> gguf;  // by id, not dense
  Rows<PartRow> parts;
  Rows<std::string_view> scales;
  Rows<std::string_view> scale_endings;
  Rows<std::string_view> scale_contains;
  Rows<std::string_view> kv_scales;
  Rows<std::string_view> packed;
  Rows<std::string_view> packed_endings;
  Rows<FactPair> gguf_keys;  // key after the architecture → key of a config.json
};

}  // namespace quantmap
