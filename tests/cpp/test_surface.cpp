// surface.hpp and version.hpp: which release is meant, and what it accepts.
#include "quantmap/config/checkpoint_kind.hpp"
#include "quantmap/release/argument_schema.hpp"

#include <algorithm>

#include "quantmap/base/version.hpp"
#include "quantmap/deployment/verdict.hpp"
#include "support.hpp"

using namespace quantmap;
using quantmap::testing::errors;
using quantmap::testing::Texts;

namespace {

const Engine& engine(std::string_view id) {
  const Engine* found = find_engine(id);
  REQUIRE(found != nullptr);
  return *found;
}

ReleaseNumber release(std::string_view id, std::string_view version) {
  Diagnostics problems;
  const auto found = find_release(engine(id), version, Path("v"), problems);
  REQUIRE_MESSAGE(found.has_value(), std::string(version));
  return *found;
}

}  // namespace

TEST_CASE("versions in PEP 440 order") {
  // Each stands before the next.
  const std::string_view ascending[] = {
      "0.5.dev1",   "0.5a1",    "0.5b2", "0.5rc0",           "0.5rc1.dev2", "0.5rc1",      "0.5",    "0.5.post1",
      "0.5.1.dev1", "0.5.1rc1", "0.5.1", "0.5.1.post1.dev1", "0.5.1.post1", "0.5.1.post2", "0.5.10", "1"};
  for (std::size_t i = 0; i + 1 < std::size(ascending); ++i) {
    const auto lower = Version::parse(ascending[i]);
    const auto upper = Version::parse(ascending[i + 1]);
    REQUIRE(lower.has_value());
    REQUIRE(upper.has_value());
    CHECK_MESSAGE(*lower < *upper, std::string(ascending[i]) << " < " << std::string(ascending[i + 1]));
    CHECK(*lower == *lower);
  }
}

TEST_CASE("spellings of one version") {
  struct Pair {
    std::string_view a, b;
  };
  const Pair same[] = {{"v0.5.2", "0.5.2"},       {"V0.5.2", "0.5.2"},
                       {"0.5.2+cu128", "0.5.2"},  {"0.5.2-cu126", "0.5.2"},
                       {"0.5.2.0", "0.5.2"},      {"0.5.0-rc.1", "0.5rc1"},
                       {"0.5.0c1", "0.5rc1"},     {"0.5.0_alpha_2", "0.5a2"},
                       {"1.0.0preview3", "1rc3"}, {"0.5.4-post2", "0.5.4.post2"},
                       {"0.5rc", "0.5rc0"}};
  for (const Pair& pair : same) {
    REQUIRE_MESSAGE(Version::parse(pair.a).has_value(), std::string(pair.a));
    CHECK_MESSAGE(*Version::parse(pair.a) == *Version::parse(pair.b), std::string(pair.a));
  }
  CHECK(Version::parse("v0.5.0-rc.1")->str() == "0.5.0rc1");
  CHECK(Version::parse("0.5.1.post1.dev1")->str() == "0.5.1.post1.dev1");
  for (const std::string_view wrong :
       {"", "v", "x", "1..2", "1.2.", "1.2x", "1 2", "-1", "99999999999", "1.2+", "1.2-"}) {
    CHECK_MESSAGE(!Version::parse(wrong).has_value(), std::string(wrong));
  }
  CHECK_FALSE(Version::parse(std::string(200, '1')).has_value());
}

TEST_CASE("every table of releases ascends, and each is found") {
  for (const Engine& item : catalog().engines) {
    const auto& releases = item.surface.releases;
    for (std::size_t i = 0; i < releases.size(); ++i) {
      CHECK(release(item.id, releases[i].version) == i);
      if (i > 0) CHECK(*Version::parse(releases[i - 1].version) < *Version::parse(releases[i].version));
      CHECK_FALSE(releases[i].artifact.empty());
    }
    CHECK(release(item.id, "latest") == releases.size() - 1);
    CHECK(release(item.id, "999") == releases.size() - 1);
    Diagnostics problems;
    CHECK_FALSE(find_release(item, "0.0.0.dev0", Path("v"), problems).has_value());
    CHECK(errors(problems) == Texts{"version-too-old v"});
  }
}

TEST_CASE("intervals of a flag neither overlap nor run backwards") {
  for (const Engine& item : catalog().engines) {
    std::string_view before;
    for (const FlagHistory& flag : item.surface.flags) {
      CHECK_MESSAGE(before < flag.name, std::string(flag.name));
      before = flag.name;
      std::uint16_t end = 0;
      for (const FlagInterval& interval : flag.intervals) {
        CHECK_MESSAGE(interval.since >= end, std::string(flag.name));
        CHECK_MESSAGE(interval.since < interval.until, std::string(flag.name));
        CHECK_MESSAGE(interval.since < item.surface.releases.size(), std::string(flag.name));
        end = interval.until;
      }
    }
  }
}

TEST_CASE("a flag by its name, its alias and its spelling") {
  const ArgumentSchema& vllm = engine("vllm").surface;
  const ReleaseNumber at = release("vllm", "0.11.0");
  CHECK(find_flag(vllm, "--tensor-parallel-size", at)->history->name == "--tensor-parallel-size");
  CHECK(find_flag(vllm, "-tp", at)->history->name == "--tensor-parallel-size");
  CHECK_FALSE(find_flag(vllm, "--tensor_parallel_size", at).has_value());
  CHECK(find_spelling(vllm, "--tensor_parallel_size", at)->history->name == "--tensor-parallel-size");
  CHECK_FALSE(find_spelling(vllm, "-", at).has_value());
  CHECK_FALSE(find_spelling(vllm, "", at).has_value());
  CHECK(find_history(vllm, "--no-such-flag") == nullptr);
}

TEST_CASE("removed and added, in words") {
  // An alias has a history of its own.
  const ArgumentSchema& all = engine("vllm").surface;
  const FlagHistory* aliased = find_history(all, "-ep");
  REQUIRE(aliased != nullptr);
  Diagnostics notes;
  const auto before = find_release(engine("vllm"), "0.13.0", Path("version"), notes);
  CHECK(history_words(all, *aliased, "-ep", *before) == "added in 0.14.0");
  const ArgumentSchema& vllm = engine("vllm").surface;
  const FlagHistory* gone = find_history(vllm, "--guided-decoding-backend");
  REQUIRE(gone != nullptr);
  const std::uint16_t until = gone->intervals.back().until;
  REQUIRE(until < vllm.releases.size());
  CHECK(history_words(vllm, *gone, gone->name, until) == "removed in " + std::string(vllm.releases[until].version));
  const FlagHistory* young = find_history(vllm, "--quantization-config");
  REQUIRE(young != nullptr);
  CHECK(history_words(vllm, *young, young->name, 0) ==
        "added in " + std::string(vllm.releases[young->intervals[0].since].version));
}

TEST_CASE("values: exact, or in any case where the release compares so") {
  const std::string_view choices[] = {"auto", "FP8"};
  FlagInterval flag{};
  flag.until = 0xFFFF;
  flag.type = FlagType::kChoice;
  flag.arity = Arity::kOne;
  flag.choices_known = true;
  flag.choices = choices;
  CHECK(accepts(flag, "auto"));
  CHECK_FALSE(accepts(flag, "fp8"));
  CHECK_FALSE(accepts(flag, ""));
  flag.any_case = true;
  CHECK(accepts(flag, "fp8"));
  flag.choices_known = false;
  CHECK(accepts(flag, "anything"));
}

TEST_CASE("checkpoint kinds") {
  for (std::size_t i = 0; i < catalog().checkpoint_kinds.size(); ++i) {
    for (const std::string_view name : catalog().checkpoint_kinds[i].names) CHECK(find_checkpoint_kind(name) == i);
  }
  CHECK(find_checkpoint_kind("not-heard-of") == catalog().checkpoint_kinds.size() - 1);
}
