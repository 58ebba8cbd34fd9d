// Someone else's launch line, read back: engine, model, variables, arguments, and a verdict on each.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quantmap/deployment/verdict.hpp"
#include "quantmap/mapping/launch.hpp"

namespace quantmap {

// The words that a POSIX shell makes of a line: quotes, escapes, continued lines. Nothing is expanded; what only a
// shell could tell (pipes, substitutions) is an error. Nothing when `problems` got one, with its position.
[[nodiscard]] std::optional<std::vector<std::string>> split_words(std::string_view line, const Path& path,
                                                                  Diagnostics& problems);

struct CheckRequest {
  Value command;  // a line, a list of words, or an object of arguments
  Value engine;   // may be null when the command names its engine
  Value engine_version;
  Value gpu;
  Value model_quantization;
  std::string default_versions;
  std::string default_gpu;                      // when no GPU is named
  Value checkpoint;                             // a path, the id of a model, or a config
  std::shared_ptr<const Checkpoint> inspected;  // the same, read already
  std::string model_cache;                      // the folder that holds models by id; empty: there is none
};

struct Checked {
  const Engine* engine = nullptr;
  Deployment deployment;
  std::string model;  // empty when the command names none
  std::vector<Verdict> verdicts;
  Diagnostics notes;  // an error among them refuses the launch as a whole
  std::vector<NotLookedAt> not_looked_at;
};

// Nothing when `problems` got an error.
[[nodiscard]] std::optional<Checked> check_command(const CheckRequest& request, Diagnostics& problems);

}  // namespace quantmap
