// The catalogue as constexpr tables.
//
// Everything that decides an argument is data in cpp/catalog, compiled by tools/compile_catalog.py into one
// constant object. A field's value is the index of its option, so that "is one of" is one bit test: a set of
// options is a 64-bit mask, and a row is a handful of masks. Rows are grouped by field (`ranges`), in the order
// written; the first row whose masks match wins. Texts are views into the binary: nothing is allocated, nothing
// is initialised at start-up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "quantmap/catalog/catalog_files.hpp"
#include "quantmap/catalog/catalog_ids.hpp"
#include "quantmap/catalog/hardware_tables.hpp"
#include "quantmap/catalog/kernel_tables.hpp"
#include "quantmap/catalog/launcher_tables.hpp"
#include "quantmap/catalog/memory_tables.hpp"
#include "quantmap/catalog/recipe_tables.hpp"
#include "quantmap/catalog/rows.hpp"
#include "quantmap/catalog/rule_tables.hpp"
#include "quantmap/catalog/traits.hpp"

namespace quantmap {

enum class Form : std::uint8_t { kFourField, kUnified };
enum class FieldKind : std::uint8_t { kOption, kBoolean, kInteger, kFraction, kLabel };
enum class Severity : std::uint8_t { kError, kWarning, kInfo };
enum class Outcome : std::uint8_t {
  kApplied,
  kReplaced,
  kIgnored,
  kFallsBack,
  kNotSupported,
  kRenamed,
  kDegraded,
  kDropped,
  kCannotServe
};
inline constexpr Severity kLastSeverity = Severity::kInfo;
inline constexpr Outcome kLastOutcome = Outcome::kCannotServe;
enum class ChannelKind : std::uint8_t { kFlag, kEnv, kFile };

inline constexpr FieldId kNoField = static_cast<FieldId>(255);
inline constexpr std::size_t index_of(FieldId field) noexcept { return static_cast<std::size_t>(field); }

struct Option {
  std::string_view id;
  std::string_view title;
  int number;         // the JSON number that stands for it, or -1 for text
  std::int8_t plain;  // index of the option without its kernel suffix, or -1
};

struct Fit {
  std::uint64_t methods;
  std::uint64_t options;
};

// How one option of a field is completed by another field ("fp8" by "e4m3").
struct Completion {
  bool exists = false;
  std::int8_t option = -1;
  FieldId by = kNoField;
  std::int8_t default_option = -1;
  Rows<std::int8_t> with{};
};

struct Field {
  FieldId field;
  std::string_view id;
  Form form;
  std::string_view section;  // empty: the key stands at the top
  std::string_view key;
  std::string_view label;
  std::string_view title;
  std::string_view source;
  FieldKind kind;
  Rows<Option> options;
  int default_option;  // -1: no default, an absent field is not mapped
  long minimum;
  long maximum;
  Rows<Fit> fits;
  Code unfit_code;
  bool unfit_drops;
  Completion completion;
};

struct Section {
  std::string_view id;
  std::string_view required_key;
};

struct ConfigKeys {
  std::string_view preset;
  std::string_view presets;
  std::string_view wrapper;
};

struct Dtype {
  std::string_view id;
  std::string_view family;
  Rows<std::string_view> spellings;
};

struct PresetSetting {
  FieldId field;
  int number;
};

struct Pair {
  std::string_view first;
  std::string_view second;
};

struct Preset {
  std::string_view id;
  Form form;
  Rows<PresetSetting> settings;
  std::string_view use_case;
  std::string_view recommended_for;
  Rows<Pair> claims;
  Rows<Pair> engines;
  std::string_view hardware;
  std::string_view source;
};

struct DiagnosticText {
  std::string_view code;
  Severity severity;
  std::string_view message;
  std::string_view hint;
  std::string_view since;
};

enum class FlagType : std::uint8_t { kBool, kInt, kFloat, kStr, kChoice, kJson, kList, kUnknown };

// How many words of a line a flag takes.
enum class Arity : std::uint8_t { kNone, kMaybeOne, kOne, kAny, kMany };

// How a flag writes numbers: as they are, with the letter of a magnitude (16k, 16K), or with that of the SI or of the
// IEC (16k, 16Ki).
enum class NumberForm : std::uint8_t { kPlain, kSize, kIecSize };

// What a flag of JSON takes: JSON, any text that does not begin as an object, JSON and what Python writes like it, or
// JSON and pairs of a key and a whole number, as in a=1,b=2.
enum class JsonForm : std::uint8_t { kStrict, kOrText, kOrPython, kOrPairs };

struct Bounds {
  bool has_least;
  bool least_open;
  double least;
  bool has_most;
  bool most_open;
  double most;
};

// A stretch of releases in which a flag did not change.
struct FlagInterval {
  std::uint16_t since;  // release number
  std::uint16_t until;  // exclusive; 0xFFFF: still so
  FlagType type;
  Arity arity;
  bool choices_known;
  bool checked_at_start;  // the parser takes any value, start-up does not
  bool any_case;
  bool refused;               // known to the parser only to be refused
  std::string_view fallback;  // the default as an argument would spell it; empty: none or unknown
  Rows<std::string_view> choices;
  Rows<std::string_view> aliases;
  Rows<std::string_view> negations;  // those of the aliases that say the opposite
  bool none;                         // the text None and the empty one set nothing
  bool deprecated;                   // it works, with a warning
  std::string_view use;              // what takes its place
  NumberForm numbers;
  std::string_view automatic;  // the word that a number flag takes besides numbers
  JsonForm json;
  bool keys_known;
  bool keys_closed;  // start-up refuses other keys
  Rows<std::string_view> keys;
  Bounds bounds;
  FlagType item;       // of a list: what each word of it is
  std::uint8_t words;  // of a list: how many there must be; 0: any number
};

struct FlagHistory {
  std::string_view name;
  Rows<FlagInterval> intervals;
};

// A name or an alias that a flag has in some release.
struct FlagName {
  std::string_view text;
  std::uint16_t flag;  // index into ArgumentSchema::flags
};

struct Variable {
  std::string_view name;
  std::uint16_t since;
  std::uint16_t until;
};

struct Release {
  std::string_view version;
  std::string_view date;
  std::string_view artifact;
  std::string_view sha256;
  bool whole;  // whether every flag is listed; else a flag that is not listed is unknown, not refused
};

// What each release of an engine accepts, extracted from the releases' own sources.
struct ArgumentSchema {
  Rows<Release> releases;   // ascending
  Rows<FlagHistory> flags;  // sorted by name
  Rows<FlagName> names;     // sorted by text, then by flag
  Rows<Variable> variables;
  Rows<std::string_view> never;  // flags that no release ever had
  ReleaseSpan dotted;            // where keys of JSON may stand behind a dot
};

struct Flag {
  std::string_view id;
  Rows<std::string_view> aliases;
};

struct Channel {
  ChannelKind kind;
  std::string_view name;     // a flag, a variable, or a file's name
  std::string_view at;       // where in a JSON value or a file, such as "/moe"
  std::string_view through;  // the flag that names the file
  int flag;                  // index into ArgumentSchema::flags, or -1
};

struct Target {
  std::string_view id;
  Rows<Channel> routes;  // the first that the release has is used
};

// Another way to say a target's value, for a part of the launch: it is read, and never written.
struct Spelling {
  std::uint8_t target;
  std::string_view flag;
  std::string_view at;  // where in the flag's JSON value, such as "/backend"; empty: the value itself
};

struct Assignment {
  std::uint8_t target;
  bool asked;    // the value asked, else `text`
  bool is_null;  // null in a file
  std::string_view text;
};

struct Alternative {
  Rows<Assignment> emissions;
  Outcome outcome;
  Code code;
  std::string_view why;
};

struct Condition {
  FieldId field;
  std::uint64_t options;
};

struct NeverAccepted {
  std::uint8_t target;
  std::string_view instead;
};

struct MappingRule {
  std::uint64_t options;
  std::uint32_t checkpoints;  // bit i: checkpoint kind i
  std::uint16_t gpus;         // bit i: GPU class i; class 0 is "no GPU given"
  std::uint8_t models;        // bit i: ModelKind i; kind 0 is "no model inspected"
  TraitMask has;              // bit i: Trait i, which the model is known to have
  TraitMask lacks;            // bit i: Trait i, which the model is known not to have
  std::uint32_t schemes;      // bit i: SchemeKind i; some group of modules is quantized so
  std::uint8_t dtypes;        // bit i: the model's dtype is Catalog::model_dtypes[i]
  std::uint8_t kv_dtypes;     // bit i: the checkpoint asks for Catalog::kv_dtypes[i]
  std::uint8_t activations;   // bit 0: weights only; bit 1: activations quantized as well
  FieldId same_as;
  Rows<Condition> when;
  Rows<Alternative> candidates;  // the first that fits is taken
  Rows<NeverAccepted> never_accepted;
  Rows<std::string_view> evidence;
};

struct RowRange {
  std::uint16_t begin;
  std::uint16_t end;
};

// A file that the engine ships: its content as compact JSON, and the name that stands for it.
struct BuiltinFile {
  std::string_view name;
  std::uint16_t since;
  std::uint16_t until;
  std::string_view content;
};

// The rows of one mode of one engine.
struct RowSet {
  Rows<Target> targets;
  Rows<Spelling> spellings;
  Rows<MappingRule> rows;
  Rows<RowRange> ranges;   // by FieldId
  Rows<Meaning> meanings;  // those of one target stand together
  Rows<Constraint> rules;
  Rows<Precision> precision;
  Rows<BuiltinFile> files;
  Rows<Shape> shapes;
  ParallelTargets parallel;
  DraftTargets draft;
  std::string_view verified_through;  // newest release whose start-up rules were read
};

struct Unsupported {
  std::string_view section;
  FieldId field;
  std::uint64_t options;
};

struct Engine {
  std::string_view id;
  std::string_view name;
  Rows<std::string_view> runtime_names;
  Rows<std::string_view> owners;  // of its sources; empty: not said
  Rows<Launcher> launchers;       // the first is the one that is rendered
  bool abbreviates;               // the parser takes any unambiguous beginning of a flag
  bool equates_dashes;            // the parser takes underscores for dashes in a flag's name
  Rows<Pair> rewrites;            // short flags, and what the parser takes them for when it has no such flag
  std::string_view config_flag;   // the flag that takes a YAML file of arguments, or empty
  std::span<const std::string_view>
      makers;  // whose accelerators it runs on besides NVIDIA's, with the rules known here
  Rows<Plugin> plugins;
  Rows<Callable> callables;
  OldVariables old_variables;
  Container container;
  Rows<Flag> flags;
  std::span<const FieldId> order[2];  // by Form
  RowSet documented;
  RowSet checked;
  Rows<Unsupported> unsupported;
  ArgumentSchema surface;
  KernelTables kernels;
  MemoryPolicy memory;
  Rows<Trouble> troubles;  // those of loaders first
};

struct CheckpointKind {
  std::string_view id;
  std::string_view title;
  Rows<std::string_view> names;
};

struct Catalog {
  std::string_view version;
  std::string_view hash;
  Rows<Field> fields;
  Rows<Section> sections;
  ConfigKeys keys;
  Rows<Dtype> dtypes;
  Rows<Preset> presets;
  Rows<DiagnosticText> diagnostics;
  Rows<Engine> engines;
  std::string_view method_key;
  Rows<std::string_view> unquantized_names;
  Rows<CheckpointKind> checkpoint_kinds;  // the first is "unquantized", the last "other"
  Rows<std::string_view> model_kinds;     // ids, by ModelKind
  Rows<Trait> traits;
  Rows<SectionFact> section_facts;
  Rows<SchemeKind> schemes;             // the first is "unknown", the last "other"
  Rows<std::string_view> model_dtypes;  // the first is "unknown"
  Rows<std::string_view> kv_dtypes;     // the first is "none", the last "other"
  Rows<KnownModel> known_models;        // by id in lower case, ascending
  Rows<Pair> model_caches;              // variable → the folder in it that holds models by id
  Rows<GpuClass> gpu_classes;           // the first is "unknown"
  Hardware hardware;
  DetectionTables detection;
  WeightTables weights;
  RecipeTables recipes;
  MemoryFacts memory;
};

[[nodiscard]] const Catalog& catalog() noexcept;

[[nodiscard]] inline const Field& field_info(FieldId field) noexcept { return catalog().fields[index_of(field)]; }

// Index of the option spelt `id`, or -1.
[[nodiscard]] int find_option(const Field& field, std::string_view id) noexcept;
[[nodiscard]] const Preset* find_preset(std::string_view id) noexcept;
[[nodiscard]] const Engine* find_engine(std::string_view id) noexcept;

[[nodiscard]] std::string_view name_of(Form form) noexcept;
[[nodiscard]] std::string_view name_of(Severity severity) noexcept;
[[nodiscard]] std::string_view name_of(Outcome outcome) noexcept;
[[nodiscard]] std::string_view name_of(FieldKind kind) noexcept;

}  // namespace quantmap
