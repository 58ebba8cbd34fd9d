// Which row and which candidate of it a setting takes, given what has been emitted so far.
//
// Only the choice is made here: nothing is worded and nothing is emitted, so that whole grids can be walked cheaply.
#pragma once

#include <string>
#include <utility>

#include "quantmap/config/config.hpp"
#include "quantmap/deployment/constraints.hpp"
#include "quantmap/deployment/kernels.hpp"

namespace quantmap {

// Why a candidate cannot be taken, or a release serves nothing of this. There are no words in it.
struct Refusal {
  enum class Reason : std::uint8_t { kNone, kNoRoute, kRouteClosed, kNotAccepted, kRule, kKernel };
  Reason reason = Reason::kNone;
  const Target* target = nullptr;
  const Channel* route = nullptr;
  const Constraint* rule = nullptr;
  std::string value;
  KernelRefusal kernel;
  TargetValues values;  // that no kernel serves

  [[nodiscard]] static Refusal by(const Constraint& rule) {
    return {Reason::kRule, nullptr, nullptr, &rule, {}, {}, {}};
  }
  [[nodiscard]] static Refusal by(const KernelRefusal& kernel, TargetValues values) {
    return {Reason::kKernel, nullptr, nullptr, nullptr, {}, kernel, std::move(values)};
  }
};

struct Choice {
  const MappingRule* row = nullptr;        // null: no row for it
  const Alternative* candidate = nullptr;  // null: every candidate was passed over
  Refusal first_refusal;                   // why it is not what was asked
  Refusal last_refusal;                    // why it is not the least of the alternatives either
};

class Chooser {
 public:
  Chooser(const Engine& engine, const Deployment& deployment);

  [[nodiscard]] const RowSet& rows() const noexcept { return rows_; }
  [[nodiscard]] Choice choose(const Config& config, const Field& field, const Setting& setting,
                              const TargetValues& values) const;
  // The row that decides about a setting, or null.
  [[nodiscard]] const MappingRule* find_row(const Config& config, const Field& field, const Setting& setting) const;
  // Why a row's candidate cannot be taken after what was emitted before.
  [[nodiscard]] Refusal refuse(const MappingRule& row, const Alternative& candidate, const Field& field,
                               const Setting& setting, const TargetValues& before) const;
  // The way by which this release takes the target, or null.
  [[nodiscard]] const Channel* find_route(const Target& target) const;
  [[nodiscard]] static std::string value_of(const Assignment& emission, const Field& field, const Setting& setting);

 private:
  [[nodiscard]] bool matches(const MappingRule& row, const Config& config, const Field& field,
                             const Setting& setting) const;
  [[nodiscard]] const FlagInterval* interval_of(const Channel& route) const;

  const Engine& engine_;
  const Deployment& deployment_;
  const RowSet& rows_;
};

}  // namespace quantmap
