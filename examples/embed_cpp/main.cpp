// Prints the launch arguments that a config asks for, and why, one field a line.
//
// Usage: embed_quantmap ENGINE CONFIG, where CONFIG is JSON text.
#include <cstdio>
#include <string>

#include "quantmap/base/json_io.hpp"
#include "quantmap/mapping/launch.hpp"

namespace {

int refuse(const quantmap::Diagnostics& problems) {
  for (const quantmap::Diagnostic& problem : problems.all()) {
    std::fprintf(stderr, "%s: %s (%s)\n", problem.path.c_str(), problem.message().c_str(), problem.hint().c_str());
  }
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s ENGINE CONFIG\n", argv[0]);
    return 2;
  }
  quantmap::Diagnostics problems;
  const auto config = quantmap::read_json(argv[2], quantmap::Path("$"), problems);
  if (!config) return refuse(problems);

  quantmap::LaunchRequest request;
  request.runtime = quantmap::Value::text(argv[1]);
  request.quant_config = *config;
  const auto mapping = quantmap::launch(request, problems);
  if (!mapping) return refuse(problems);

  for (const quantmap::Argument& argument : mapping->arguments) {
    const bool variable = argument.kind == quantmap::ChannelKind::kEnv;
    std::printf("%s%s%s\n", argument.flag.c_str(), variable ? "=" : " ", quantmap::to_text(argument.value).c_str());
  }
  for (const quantmap::Decision& decision : mapping->decisions) {
    std::printf("# %s\n", decision.why.message().c_str());
  }
  for (const quantmap::Diagnostic& warning : mapping->diagnostics.all()) {
    std::printf("# warning: %s\n", warning.message().c_str());
  }
  return 0;
}
