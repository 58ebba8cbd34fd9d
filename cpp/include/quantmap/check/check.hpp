// Somebody else's launch, read back: engine, model, variables, arguments, and a verdict on each.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quantmap/deployment/verdict.hpp"
#include "quantmap/mapping/launch.hpp"
#include "quantmap/shell/shell.hpp"

namespace quantmap {

struct CheckRequest : DeploymentRequest {
  Value command;  // a line or a script, a list of words, or an object of arguments
  Value engine;   // may be null when the command names its engine
  std::vector<std::pair<std::string, std::string>> settings{};  // files that it may name: the name, and JSON
};

// A file as a launch names it.
struct NamedFile {
  std::string name;
  std::shared_ptr<const WrittenFile> file;
};

struct Checked {
  const Engine* engine = nullptr;
  Deployment deployment;
  std::size_t line = 1;  // where it stands in its text
  std::string model;     // empty when the command names none
  std::string asked;     // the release that was meant, when the deployment's only stands in for it
  std::string platform;  // who makes what it runs on, when that is not NVIDIA: only the arguments are judged
  std::vector<Verdict> verdicts;
  std::vector<NamedFile> files;  // of its script, that it names
  Diagnostics notes;             // an error among them refuses the launch as a whole
  std::vector<NotLookedAt> not_looked_at;
};

// The first launch of a command. Nothing when `problems` got an error.
[[nodiscard]] std::optional<Checked> check_command(const CheckRequest& request, Diagnostics& problems);

// Every launch of a script, in its order; none when it starts no engine that is known. A launch that cannot be judged
// (its image's release is older than all that are known) is a note with its line. Nothing when `problems` got an error.
struct CheckedScript {
  std::vector<Checked> launches;
  std::vector<std::shared_ptr<const WrittenFile>> written;  // that it does not run itself
  Diagnostics notes;
};
[[nodiscard]] std::optional<CheckedScript> check_script(const CheckRequest& request, Diagnostics& problems);

}  // namespace quantmap
