// One launch that was found: its release, and a verdict on each of its words.
#pragma once

#include <optional>
#include <string>

#include "find_launch.hpp"
#include "quantmap/check/check.hpp"

namespace quantmap {

// What the caller says of every launch.
struct Ground {
  const Engine* engine = nullptr;  // null: each launch names its own
  std::string release;             // behind the engine's name
  const CheckRequest* request = nullptr;
};

// Nothing when `problems` got an error.
[[nodiscard]] std::optional<Checked> judge_launch(const FoundLaunch& launch, const Ground& ground,
                                                  Diagnostics& problems);

// Who makes what a launch runs on; null when that is NVIDIA, or a maker that the engine is made for.
[[nodiscard]] const OtherMaker* platform_of(const FoundLaunch& launch, const Engine& engine,
                                            const CheckRequest& request);

// The release that a launch runs, and whether it only stands in for what was asked.
struct ReleaseRead {
  Deployment deployment;
  std::string asked;  // empty: it is the release itself
};
[[nodiscard]] std::optional<ReleaseRead> read_release(const Engine& engine, const Ground& ground,
                                                      const FoundLaunch* launch, bool with_gpu, Diagnostics& notes);

}  // namespace quantmap
