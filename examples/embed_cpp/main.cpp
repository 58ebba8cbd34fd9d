// Prints a launch line that a shell runs, and why, and writes the files that it names.
//
// Usage: embed_quantmap CONFIG FOLDER PROGRAM..., where CONFIG is JSON text, the files go into FOLDER, and PROGRAM is
// what the arguments follow, such as: vllm serve my/model. QUANTMAP_ENGINE names the engine, and QUANTMAP_RELEASE its
// release.
#include <quantmap/quantmap.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace qm = quantmap::api;

namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

int refuse(const std::vector<qm::Note>& problems) {
  for (const qm::Note& problem : problems) {
    std::fprintf(stderr, "%s: %s (%s)\n", problem.path.c_str(), problem.message.c_str(), problem.hint.c_str());
  }
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: %s CONFIG FOLDER PROGRAM...\n", argv[0]);
    return 2;
  }
  const auto launch = qm::launch({
      .engine = variable("QUANTMAP_ENGINE"),
      .config = argv[1],
      .engine_version = variable("QUANTMAP_RELEASE"),
  });
  if (!launch) return refuse(launch.problems);
  if (!qm::write_files(*launch, argv[2])) {
    std::fprintf(stderr, "cannot write into %s\n", argv[2]);
    return 1;
  }
  std::puts(qm::shell(*launch, {argv + 3, argv + argc}).c_str());
  for (const qm::Decision& decision : launch->decisions) std::fprintf(stderr, "# %s\n", decision.sentence.c_str());
  for (const qm::Note& note : launch->notes)
    std::fprintf(stderr, "# %s: %s\n", note.severity.c_str(), note.message.c_str());
  return 0;
}
