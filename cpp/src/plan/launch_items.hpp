// What each argument, variable and file of a plan's launches amounts to.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "plan/choices.hpp"
#include "quantmap/mapping/launch.hpp"

namespace quantmap {

// One argument with its file, or one variable.
struct LaunchItem {
  std::uint32_t id = 0;       // the same for all that come to the same; 0: it makes no difference
  int flag = -1;              // the flag that parameters name too, or -1
  CanonicalId canonical = 0;  // of that flag
  MultisetHash digest;
};

// A few dozen items make up all launches of a plan: each is worked out and hashed once.
class LaunchItems {
 public:
  LaunchItems(Canonicalizer& canonicalizer, std::vector<FlagChoice>& flags)
      : canonicalizer_(canonicalizer), flags_(flags) {}

  // `file`: the one that the argument hands over, or null.
  [[nodiscard]] const LaunchItem& of(const Argument& argument, const LaunchFile* file);

 private:
  [[nodiscard]] LaunchItem make(const Argument& argument, const LaunchFile* file);

  Canonicalizer& canonicalizer_;
  std::vector<FlagChoice>& flags_;
  std::string key_;                                     // of the last look-up: its memory is used again
  std::unordered_map<std::string, LaunchItem> known_;   // by what is written
  std::unordered_map<std::string, std::uint32_t> ids_;  // by what it comes to
};

}  // namespace quantmap
