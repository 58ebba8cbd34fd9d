// What checked mode can ever do: every candidate of every row is taken by some launch, and every rule refuses one.
//
// A search only ever adds: what it meets is met, by a launch that can be named, and what it did not meet is a finding.
// So a search that ends too soon is never silence. Random launches soon meet most; for each of the rest, launches are
// drawn that its own conditions allow.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "proof.hpp"
#include "quantmap/mapping/choose.hpp"

namespace quantmap::proof {

// Everything outside a config, as far as rows and rules limit it.
struct Limits {
  std::uint32_t checkpoints = 0xFFFFFFFF;
  std::uint32_t gpus = 0xFFFFFFFF;
  std::uint32_t models = 0xFFFFFFFF;
  std::uint32_t schemes = 0xFFFFFFFF;
  std::uint32_t dtypes = 0xFFFFFFFF;
  std::uint32_t kv_dtypes = 0xFFFFFFFF;
  std::uint32_t activations = 3;
  TraitMask has = 0;
  TraitMask lacks = 0;
  std::uint32_t since = 0;
  std::uint32_t until = 0xFFFFFFFF;

  void meet(const MappingRule& row);
  void meet(const Constraint& rule);
  void meet(const Meaning& meaning);

 private:
  template <typename Item>
  void meet_model(const Item& item) {
    checkpoints &= item.checkpoints;
    models &= item.models;
    schemes &= item.schemes;
    kv_dtypes &= item.kv_dtypes;
    has |= item.has;
    lacks |= item.lacks;
  }
  void meet_releases(std::uint32_t from, std::uint32_t to) {
    since = std::max(since, from);
    until = std::min(until, to);
  }
};

class ReachSearch {
 public:
  explicit ReachSearch(const Engine& engine, std::uint32_t seed = 20240823);

  void search();
  // Candidates that no launch takes, rules that refuse nothing, and rules that do although only users should meet them.
  [[nodiscard]] std::vector<Problem> problems() const;
  [[nodiscard]] std::uint64_t launches() const noexcept { return launches_; }

 private:
  using Allowed = std::vector<std::vector<std::size_t>>;  // by axis, points

  std::size_t below(std::size_t end) { return std::uniform_int_distribution<std::size_t>(0, end - 1)(random_); }
  // A number below `size` whose bit is set; `size` when there is none.
  std::size_t one_of(std::uint32_t mask, std::size_t size);
  [[nodiscard]] std::optional<Deployment> deployment_in(const Limits& limits);
  bool take_marks(const Limits& limits, Deployment& out);
  // Follows a launch field by field: what is taken, and what refuses what was tried.
  void follow(const Config& given, const Deployment& deployment);
  void try_candidates(const Chooser& chooser, const MappingRule& row, const Field& field, const Setting& setting,
                      const Deployment& deployment, TargetValues& values);
  void follow_random(const Grid& grid, const Allowed& allowed, const Limits& limits);
  // The points of each axis that these rows allow; of an axis that allows none, all.
  [[nodiscard]] Allowed allowed_by(const Grid& grid, const std::vector<std::size_t>& rows) const;
  [[nodiscard]] bool allows(const MappingRule& row, FieldId field, const Axis& axis, const Config& config) const;
  [[nodiscard]] FieldId field_of(std::size_t row) const;
  // For each term of a rule a row that can bring it about.
  [[nodiscard]] std::vector<std::size_t> rows_for(std::size_t rule);
  // Follows some launches that meet the conditions of these rows as far as they agree.
  void draw(const std::vector<std::size_t>& rows, const Limits& limits);
  // Where a rule is in force and what its terms name can come about.
  [[nodiscard]] Limits limits_of(std::size_t rule);
  void search_candidate(std::size_t row, std::size_t candidate);
  void search_rule(std::size_t rule);

  const Engine& engine_;
  std::mt19937 random_;
  std::vector<Grid> grids_;
  std::vector<std::vector<bool>> taken_;  // by row, candidate
  std::vector<bool> refusing_;            // by rule
  std::uint64_t launches_ = 0;
};

}  // namespace quantmap::proof
