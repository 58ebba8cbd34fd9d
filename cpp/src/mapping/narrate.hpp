// What a mapping says: the steps of the evaluator, told in words.
//
// The evaluator (map.cpp) knows why, and makes no words; the narrator has words, and decides nothing. So a launch that
// nobody reads about costs no words, and what is told cannot change what is launched.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "quantmap/mapping/choose.hpp"
#include "quantmap/mapping/map.hpp"

namespace quantmap {

// An argument of an earlier field that a step took over with another value.
struct Replaced {
  FieldId earlier;
  std::size_t by;  // index into the step's emitted
};

// What one field came to, and what decided it.
struct Step {
  FieldId field;
  Setting asked;                          // of the config, or its default
  std::vector<std::string_view> chain{};  // of methods, when the one that was asked is not taken
  const MappingRule* row = nullptr;       // null: there is none
  const Alternative* taken = nullptr;     // null: every alternative is refused
  Refusal refusal{};                      // why it is not what was asked; of a dropped field, why not even the least
  Outcome outcome = Outcome::kApplied;
  std::vector<Emitted> emitted{};
  std::vector<Replaced> replaced{};
};

struct Mapped {
  std::vector<Step> steps;
  std::vector<Argument> arguments;
  TargetValues values;
  std::optional<Refusal> not_served;  // why there is no launch
};

// Fills in the decisions of `out`, and what is to be logged. Without words they carry field and outcome only, and
// nothing is logged but that there is no launch.
void narrate(const Mapped& mapped, const ModelQuantization& model, Wording wording, Mapping& out);

}  // namespace quantmap
