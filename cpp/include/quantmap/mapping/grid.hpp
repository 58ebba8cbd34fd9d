// The grid of the four-field form on one engine in one deployment, walked without mapping every point.
//
// Fields are mapped one after the other, and a field looks at its own option, at a few other fields, and at what the
// fields before it have set. So the grid folds: after each field only a few different states are left, and a field
// is evaluated once for each state and each combination of the options that its rows look at. The rest is look-up.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "quantmap/mapping/choose.hpp"

namespace quantmap {

inline constexpr std::size_t kGridFields = 4;

class Grid {
 public:
  using Options = std::array<std::uint8_t, kGridFields>;  // by four-field field, in catalogue order

  Grid(const Engine& engine, const Deployment& deployment);

  // A number for what the combination comes to: two combinations with the same number have the same arguments,
  // variables and files, and either both can be served or neither.
  [[nodiscard]] std::uint32_t place(const Options& options);

  struct Looks {
    // By field, a number for what it looks at: its own option, options of other fields, and what is set before it. With
    // the place these decide its outcome.
    std::array<std::uint32_t, kGridFields> fields{};
    std::uint32_t order = 0;  // of the targets that are set
  };
  [[nodiscard]] std::uint32_t place(const Options& options, Looks& looks);

  [[nodiscard]] static Config config_of(const Options& options);

 private:
  struct State {
    TargetValues values;
    std::uint64_t emitted = 0;  // bit i: target i has been set, perhaps to nothing
    bool cannot_serve = false;
  };
  // One field of the engine's order.
  struct Step {
    FieldId field{};
    std::array<std::uint32_t, kGridFields> stride{};  // 0: its rows do not look at that field
    std::uint32_t width = 1;                          // combinations of the options that they look at
    std::vector<State> states;                        // before the step
    std::vector<std::uint32_t> next;                  // state × combination → state after it, plus one
    std::vector<const Alternative*> chosen;           // likewise: what the field comes to
  };

  std::uint32_t walk(const Options& options, Looks& looks);
  std::uint32_t evaluate(std::size_t step, std::uint32_t state, const Options& options, std::size_t at);
  std::uint32_t number_of(std::size_t level, State state);

  Deployment deployment_;
  Chooser chooser_;
  std::vector<Step> steps_;
  std::vector<State> last_;
  std::vector<std::unordered_map<std::string, std::uint32_t>> numbers_;  // by level
  std::unordered_map<std::string, std::uint32_t> orders_;
};

}  // namespace quantmap
