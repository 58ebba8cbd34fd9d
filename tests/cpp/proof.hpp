// The exhaustive proof of checked mode, by equivalence classes.
//
// A place is everything outside the config: form, release, checkpoint, GPU, model, activations. Two places are in
// one class when the same rows match, every emission of those rows finds the same route and the same answer of the
// surface, and the same rules can hold. A point is one setting of an axis (a field, or the fields that name the
// method); two points are in one class when no matching row can tell them apart and none passes them on as asked. One
// representative of each class is mapped and checked; a random sample of members is compared with its
// representative. What is emitted is checked here from the tables alone, without the evaluator's own questions.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "quantmap/mapping/map.hpp"

namespace quantmap::proof {

// What is known of a model: its attention, and what rules ask of it beside that.
struct World {
  ModelKind kind = ModelKind::kUnknown;
  ModelMarks marks;
};
// Every kind of attention with and without sinks, for each dtype and each declared KV cache; and each other trait
// and scheme once. The first is a model that was not read.
[[nodiscard]] const std::vector<World>& worlds();

struct Place {
  std::uint16_t release = 0;
  std::uint8_t kind = 0;
  std::uint8_t gpu = 0;
  bool activations = true;
  std::uint16_t world = 0;  // index into worlds()
};

[[nodiscard]] Deployment situation_at(const Place& place, bool arguments_only = false);
// The model of a place: its checkpoint kind and what is known of it.
[[nodiscard]] ModelQuantization model_at(const Place& place);
// A model of a checkpoint kind.
[[nodiscard]] ModelQuantization model_of(std::size_t kind);
// "sglang 0.5.6, awq, sm90": for messages.
[[nodiscard]] std::string describe(const Engine& engine, const Place& place);
[[nodiscard]] std::string describe(const Config& config);

// Every place of an engine.
// Without `facts` models are told apart by their attention alone.
[[nodiscard]] std::vector<Place> places_of(const Engine& engine, bool facts = false);

// --- proof_check.cpp: what must hold for a mapping --------------------------------------------------------------

struct Problem {
  std::string what;    // stable: one kind of problem, for counting
  std::string detail;  // of this example
};

// What a release has: its flags by name and alias, and its route for each target (null: none).
struct ReleaseGround {
  std::unordered_map<std::string_view, const FlagInterval*> flags;
  std::vector<const Channel*> routes;
};
// What the tables say at a place: the release, and the rules in force.
struct Ground {
  const ReleaseGround* release = nullptr;
  std::vector<const Constraint*> with_terms;
  std::vector<const Constraint*> conditional;  // on some GPUs, none being given
  const Constraint* nothing_served = nullptr;
};
class Grounds {
 public:
  explicit Grounds(const Engine& engine);
  [[nodiscard]] Ground at(const Place& place) const;

 private:
  const Engine& engine_;
  std::vector<ReleaseGround> releases_;
};

// What a value of a target stands for at a place.
[[nodiscard]] std::string_view meant(const Engine& engine, const Place& place, const TargetValues& values,
                                     std::size_t target);
// Everything that is wrong with a mapping.
[[nodiscard]] std::vector<Problem> problems_of(const Mapping& mapping, const Place& place, const Ground& ground,
                                               bool arguments_only);
// What does not depend on a config: every part of the model has an answer everywhere, every rule its evidence.
[[nodiscard]] std::vector<Problem> problems_of_tables(const Engine& engine);

// --- proof_kernels.cpp: what the kernel tables say -------------------------------------------------------------

// The attention backend that the launch names does not take it, or none of those that the release tries does.
void check_kernels(const Engine& engine, const Place& place, const TargetValues& values, std::vector<Problem>& out);

// A number for what the kernels of a place refuse of everything that can be set together.
class KernelNumbers {
 public:
  explicit KernelNumbers(const Engine& engine) : engine_(engine) {}
  // `pairs`: every "target value" that rows can set.
  [[nodiscard]] int at(const Place& place, const std::vector<std::string>& pairs);

 private:
  [[nodiscard]] std::string refusals(const Place& place, const std::vector<std::string>& pairs) const;

  const Engine& engine_;
  std::map<std::array<std::uint16_t, 3>, int> known_;  // by release, GPU and model
  std::map<std::string, int> numbers_;
};

// --- proof_space.cpp: classes of places and points -------------------------------------------------------------

struct PlaceClass {
  std::vector<Place> members;  // the first is the representative
  std::vector<const MappingRule*> rows;
};

// One setting of an axis: fields that vary together.
using Point = std::vector<std::pair<FieldId, std::int64_t>>;  // empty: nothing given
struct Axis {
  std::vector<FieldId> fields;
  std::vector<Point> points;
};
struct Grid {
  std::string_view name;
  Form form;
  std::vector<Axis> axes;
};
// For a grid, since places that a grid's fields cannot tell apart are one class.
[[nodiscard]] std::vector<PlaceClass> place_classes(const Engine& engine, const Grid& grid, const Grounds& grounds,
                                                    const std::vector<Place>& places);

// The four-field form whole; the unified form in parts that each vary whole.
[[nodiscard]] std::vector<Grid> grids();
[[nodiscard]] Config config_at(const Grid& grid, const std::vector<std::size_t>& point);

// For each point of each axis, the number of the point that stands for it in this class of places.
[[nodiscard]] std::vector<std::vector<std::size_t>> point_classes(const Engine& engine, const Grid& grid,
                                                                  const PlaceClass& places);

// --- proof_counts.cpp: the pinned table ------------------------------------------------------------------------

inline constexpr std::size_t kOutcomes = 9;
using Counts = std::array<std::uint64_t, kOutcomes>;
// engine / form / checkpoint kind → counts by release number, no GPU given.
using CountTable = std::map<std::string, std::map<std::string, std::map<std::string, std::vector<Counts>>>>;

[[nodiscard]] std::string write_counts(const CountTable& table);
// Lines that tell where two written tables differ, for one engine and form or all; empty when they are equal.
[[nodiscard]] std::vector<std::string> compare_counts(std::string_view pinned, std::string_view found,
                                                      std::string_view engine = {}, std::string_view form = {});

}  // namespace quantmap::proof
