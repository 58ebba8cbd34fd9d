// The part of the catalogue that reads model files: how they name formats, and what engines make of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace quantmap {

// A fact of a claim having one of these values; no values: having any.
struct FactTerm {
  std::string_view fact;
  std::span<const std::string_view> values;
};

struct FactPair {
  std::string_view fact;
  std::string_view value;
};

// What a format means; the first row whose terms hold is taken.
struct FormatRow {
  std::span<const FactTerm> when;
  int kind;  // index into Catalog::checkpoint_kinds; -1: what the method's name says
  std::span<const FactPair> fill;
};

// What an engine makes of a claim; the first row whose terms hold is taken.
struct DetectionRow {
  std::span<const FactTerm> when;
  std::string_view name;  // the engine's name; "=fact" is what the claim says
  bool refused;
  std::string_view why;
  std::span<const std::string_view> evidence;
};

struct EngineDetection {
  std::string_view engine;
  std::span<const std::uint8_t> order;  // of sources; the first that says something decides
  std::span<const DetectionRow> rows;
  std::span<const std::string_view> evidence;
};

// Tensors that only one kind of format has.
struct Signature {
  std::span<const std::string_view> tensors;
  std::string_view means;
};

struct DetectionTables {
  std::span<const std::string_view> sources;
  std::span<const FactPair> implied;    // source → method
  std::span<const FactPair> producers;  // producer → method
  std::span<const FormatRow> formats;
  std::span<const Signature> signatures;
  std::span<const FactPair> name_words;          // word of a model id → method
  std::span<const std::string_view> name_after;  // words that may follow it
  std::span<const EngineDetection> engines;
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
  std::uint8_t part;                           // ModuleClass
  std::span<const std::string_view> names;     // whole names
  std::span<const std::string_view> words;     // one component
  std::span<const std::string_view> contains;  // inside a component
  std::span<const std::string_view> last;      // the module's own name
};

struct WeightTables {
  std::span<const StoredDtype> safetensors;
  std::span<const StoredDtype> gguf;  // by id, not dense
  std::span<const PartRow> parts;
  std::span<const std::string_view> scales;
  std::span<const std::string_view> scale_endings;
  std::span<const std::string_view> scale_contains;
  std::span<const std::string_view> kv_scales;
  std::span<const std::string_view> packed;
  std::span<const std::string_view> packed_endings;
  std::span<const FactPair> gguf_keys;  // key after the architecture → key of a config.json
};

}  // namespace quantmap
