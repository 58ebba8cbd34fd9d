#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>

#include "proof_reach.hpp"
#include "proof_run.hpp"

namespace quantmap::proof {

namespace {

std::string read_file(const std::string& name) {
  std::ifstream in(name, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// Whether everything in an engine's tables can happen.
int prove_reach(const Options& options) {
  Findings findings;
  for (const Engine& engine : catalog().engines) {
    if (engine.checked.rows.empty() || (!options.engine.empty() && engine.id != options.engine)) continue;
    const auto begin = std::chrono::steady_clock::now();
    ReachSearch reach(engine, options.seed);
    reach.search();
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
    std::printf("%s: %zu rows, %zu rules, %llu launches followed in %.1f s\n", std::string(engine.id).c_str(),
                engine.checked.rows.size(), engine.checked.rules.size(),
                static_cast<unsigned long long>(reach.launches()), time.count());
    for (const Problem& problem : reach.problems()) {
      findings.add(problem, std::string(engine.id), 1, [] { return std::string("the tables"); });
    }
  }
  return findings.print();
}

int prove(const Options& options) {
  std::printf("seed %u\n", options.seed);
  Proof proof(options);
  const auto begin = std::chrono::steady_clock::now();
  for (const Engine& engine : catalog().engines) {
    if (!options.engine.empty() && engine.id != options.engine) continue;
    if (engine.checked.rows.empty()) {
      std::printf("%s: no checked rows\n", std::string(engine.id).c_str());
      continue;
    }
    proof.run(engine);
  }
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
  std::printf("all: %.1f s\n", time.count());
  int failed = proof.findings().print();
  if (options.sample) return failed;
  const std::string found = write_counts(proof.counts());
  if (!options.counts.empty()) std::ofstream(options.counts, std::ios::binary) << found;
  if (!options.compare.empty()) {
    const auto changes = compare_counts(read_file(options.compare), found, options.engine, options.form);
    for (const std::string& line : changes) std::printf("%s\n", line.c_str());
    if (!changes.empty()) {
      std::printf("the outcomes differ from %s; after review: quantmap_proof --counts %s\n", options.compare.c_str(),
                  options.compare.c_str());
      failed = 1;
    }
  }
  return failed;
}

}  // namespace

}  // namespace quantmap::proof

int main(int argc, char** argv) {
  quantmap::proof::Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (i + 1 >= argc) {
      std::fprintf(stderr, "%s needs a value\n", name.c_str());
      return 2;
    }
    const std::string value = argv[++i];
    if (name == "--engine") {
      options.engine = value;
    } else if (name == "--form") {
      options.form = value;
    } else if (name == "--sample") {
      options.sample = std::stoull(value);
    } else if (name == "--members") {
      options.members = std::stoull(value);
    } else if (name == "--seed") {
      options.seed = static_cast<std::uint32_t>(std::stoul(value));
    } else if (name == "--counts") {
      options.counts = value;
    } else if (name == "--facts") {
      options.facts = value == "yes";
    } else if (name == "--newest") {
      options.newest = value == "yes";
    } else if (name == "--reach") {
      options.reach = value == "yes";
    } else if (name == "--compare") {
      options.compare = value;
    } else {
      std::fprintf(stderr, "unknown option %s\n", name.c_str());
      return 2;
    }
  }
  return options.reach ? quantmap::proof::prove_reach(options) : quantmap::proof::prove(options);
}
