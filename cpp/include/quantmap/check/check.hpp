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
};

struct Checked {
  const Engine* engine = nullptr;
  Deployment deployment;
  std::string model;  // empty when the command names none
  std::vector<Verdict> verdicts;
  Diagnostics notes;  // an error among them refuses the launch as a whole
};

// Nothing when `problems` got an error.
[[nodiscard]] std::optional<Checked> check_command(const CheckRequest& request, Diagnostics& problems);

}  // namespace quantmap
