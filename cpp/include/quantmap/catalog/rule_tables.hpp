// Rules as tables: what a release refuses, what values stand for, what a part of a model really is, and which sizes
// divide.
#pragma once

#include <cstdint>
#include <string_view>

#include "quantmap/catalog/rows.hpp"
#include "quantmap/catalog/traits.hpp"

namespace quantmap {

enum class Stage : std::uint8_t { kStart, kRun, kNoEffect, kTrouble };

// How a number of GPUs stands to that of another target; one that is not set is 1.
enum class Compared : std::uint8_t { kNot, kDoesNotDivide, kDiffersFrom };

// One target having one of these values, or with `others` any value but these; "" stands for "not set".
struct RuleTerm {
  std::uint8_t target;
  bool others;
  Rows<std::string_view> values;
  Compared compared = Compared::kNot;  // besides, with the number of `with`
  std::uint8_t with = 0;
};

// What a parser cannot see: this combination is refused when the engine starts, or fails later.
struct Constraint {
  std::string_view id;
  std::uint16_t since;  // release number
  std::uint16_t until;  // exclusive
  std::uint32_t checkpoints;
  std::uint16_t gpus;
  std::uint8_t models;
  TraitMask has;
  TraitMask lacks;
  std::uint32_t schemes;
  std::uint8_t dtypes;
  std::uint8_t kv_dtypes;
  Rows<RuleTerm> terms;  // none: nothing can be served, whatever the arguments
  Stage stage;
  std::string_view text;
  bool assumed;
  bool whole_only;  // it is not about a part that a flag of its own sets
  bool user_only;   // it judges what others write: no row brings it about
  bool kept;        // the engine keeps what it has, before anything looks at the value: to other rules it is not set
  bool as_given;    // it is about what the line says, also where the engine keeps something else
  Rows<std::string_view> evidence;
};

// What starts and then goes wrong on some releases, or what a loader cannot load: a constraint that is never looked at
// where arguments are chosen, told of what has been chosen or written.
struct Trouble {
  Constraint rule;
  Rows<std::string_view> types;  // `model_type` or class of the model; none: any, read or not
  bool other_types;              // the model is known to be none of `types`
  std::uint64_t section;         // bit i: the section of quantization is such as Catalog::section_facts[i]
  std::string_view effect;       // a word: what happens
  std::string_view cure;
};

// What a value of a target stands for: an alias, or what is taken when the model decides. The first that holds is
// taken.
struct Meaning {
  std::uint8_t target;
  std::uint16_t since;
  std::uint16_t until;
  std::uint32_t checkpoints;
  std::uint16_t gpus;
  std::uint8_t models;
  TraitMask has;
  TraitMask lacks;
  std::uint32_t schemes;
  std::uint8_t dtypes;     // bit i: the model's dtype is Catalog::model_dtypes[i]
  std::uint8_t kv_dtypes;  // bit i: the checkpoint asks for Catalog::kv_dtypes[i]
  Rows<std::string_view> values;
  std::string_view means;
  Rows<std::string_view> types;  // as in Trouble
  bool other_types;
  Rows<RuleTerm> beside;  // what else the line must set; then it is about the launch as a whole
  std::string_view text;  // why the engine puts something else in place of what was asked; else empty
  Rows<std::string_view> evidence;
};

// What a part of the model will really be computed or stored in; the first row that holds is the answer.
struct Precision {
  std::string_view of;
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
  Rows<std::string_view> types;  // as of Trouble
  bool other_types;
  Rows<RuleTerm> terms;
  double bits;       // of one number as stored, scales of blocks included; 0: as the model or the checkpoint says
  double head_bits;  // of a scale for each token and head
  std::string_view is;
  Rows<std::string_view> evidence;
};

// Sizes of a model that are divided among GPUs, by what they are divided, and of what each share has to be a multiple.
enum class ShapeSize : std::uint8_t {
  kHeads,
  kKvHeads,
  kQueryWidth,
  kKvWidth,
  kOutputWidth,
  kMlp,
  kExpertMlp,
  kSharedMlp,
  kExperts,
  kLayers,
  kHidden,
  kStateWidth,
  kStateHeads,
  kStatedLength,  // from here on: lengths of contexts
  kLength,
  kFirstLength,
  kYarnLength
};
enum class ShapeOver : std::uint8_t { kTp, kPp, kEp, kExpertTp, kNone, kContext };
enum class ShapeUnit : std::uint8_t { kOne, kNumber, kBlockOut, kBlockIn, kGroup };

struct Shape {
  std::string_view id;
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
  ShapeSize size;
  ShapeOver over;
  ShapeUnit unit;
  std::int64_t number;   // for ShapeUnit::kNumber
  bool divided;          // holds only where the size is divided at all
  Rows<RuleTerm> terms;  // what else is set: a method that quantizes while it loads
  Stage stage;
  bool assumed;
  Rows<std::string_view> evidence;
};

// Which targets hold the parallel sizes and the length of the context; -1: none does.
struct ParallelTargets {
  int tp = -1;
  int pp = -1;
  int ep = -1;
  int context = -1;
  int overrides = -1;         // JSON that is laid over the model's config
  int dp = -1;                // its ranks share experts with the others
  Rows<RuleTerm> spread{};    // any of them spreads experts over all GPUs, whatever `ep` says
  bool ep_is_switch = false;  // experts are spread over all GPUs, or not at all
};

// Which targets speak of a draft model beside the served one; -1: none does.
struct DraftTargets {
  int model = -1;
  int tp = -1;               // in place of the tensor-parallel size
  int method = -1;           // in place of the method
  std::uint64_t leaves = 0;  // bit i: target i is not about the draft
};

// A well-known model: the numbers of its config that decide anything, as JSON.
struct KnownModel {
  std::string_view id;
  std::string_view config;
  std::string_view source;
  bool assumed;  // no file of it was read
};

}  // namespace quantmap
