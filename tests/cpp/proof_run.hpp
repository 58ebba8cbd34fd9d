// Running the proof over an engine: what was found, what was counted.
#pragma once

#include <map>
#include <optional>
#include <random>

#include "proof.hpp"

namespace quantmap::proof {

struct Options {
  std::string engine;
  std::string form;  // of the config; empty: both
  std::optional<std::uint64_t> sample;
  std::uint64_t members = 20000;
  std::uint32_t seed = 20240823;
  std::string counts;
  std::string compare;
  bool reach = false;   // only whether everything in the tables can happen
  bool newest = false;  // the newest release of an engine only
  bool facts = false;   // models by sinks, dtype, declared KV cache and schemes as well
};

// Problems by kind, each with the first example.
class Findings {
 public:
  void add(const std::vector<Problem>& problems, const Engine& engine, const Place& place, const Config& config,
           std::uint64_t weight = 1) {
    for (const Problem& problem : problems) {
      add(problem, std::string(engine.id), weight, [&] { return describe(engine, place) + ": " + describe(config); });
    }
  }
  template <typename Where>
  void add(const Problem& problem, const std::string& engine, std::uint64_t weight, Where where) {
    auto& found = found_[engine + ": " + problem.what];
    if (found.first == 0) found.second = where() + (problem.detail.empty() ? "" : " (" + problem.detail + ")");
    found.first += weight;
  }
  // Prints them; 1 when there are any.
  [[nodiscard]] int print() const;

 private:
  std::map<std::string, std::pair<std::uint64_t, std::string>> found_;
};

struct Total {
  std::uint64_t covered = 0;
  std::uint64_t evaluated = 0;
  std::uint64_t compared = 0;
  Counts outcomes{};
};

class Proof {
 public:
  explicit Proof(const Options& options) : options_(options), random_(options.seed) {}

  void run(const Engine& engine);
  [[nodiscard]] const CountTable& counts() const { return counts_; }
  [[nodiscard]] const Findings& findings() const { return findings_; }

 private:
  std::size_t below(std::size_t end) { return std::uniform_int_distribution<std::size_t>(0, end - 1)(random_); }
  std::vector<std::size_t> random_point(const Grid& grid);
  void sample(const Engine& engine, const Grid& grid, const Grounds& grounds, const std::vector<Place>& places,
              Total& total);
  void cover(const Engine& engine, const Grid& grid, const Grounds& grounds, const std::vector<PlaceClass>& classes,
             Total& total);
  // Maps one launch for each class of points, and counts it as often as it has members.
  void cover_class(const Engine& engine, const Grid& grid, const Grounds& grounds, const PlaceClass& places,
                   const std::vector<std::vector<std::size_t>>& leaders, Total& total);
  // A random sample of members against their representatives.
  void compare_members(const Engine& engine, const Grid& grid, const Grounds& grounds,
                       const std::vector<PlaceClass>& classes,
                       const std::vector<std::vector<std::vector<std::size_t>>>& leaders, Total& total);

  Options options_;
  std::mt19937 random_;
  Findings findings_;
  CountTable counts_;
};

}  // namespace quantmap::proof
