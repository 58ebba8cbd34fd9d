// text.hpp: what messages and arguments are made of.
#include "quantmap/base/text.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "support.hpp"

using namespace quantmap;

namespace {

std::string escaped(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

// Doubles of every magnitude, the same ones in every run.
double some_double(std::uint64_t& state) {
  state ^= state << 13U;
  state ^= state >> 7U;
  state ^= state << 17U;
  double out = 0.0;
  std::memcpy(&out, &state, sizeof out);
  return out;
}

}  // namespace

TEST_CASE("a float has the text of Python's repr") {
  const std::pair<double, std::string_view> known[] = {
      {0.0, "0.0"},
      {-0.0, "-0.0"},
      {1.0, "1.0"},
      {-2.5, "-2.5"},
      {0.1, "0.1"},
      {0.85, "0.85"},
      {0.1 + 0.2, "0.30000000000000004"},
      {1.0 / 3.0, "0.3333333333333333"},
      {100.0, "100.0"},
      {123456789.125, "123456789.125"},
      {0.0001, "0.0001"},
      {0.00012345, "0.00012345"},
      {0.00009, "9e-05"},
      {1e-5, "1e-05"},
      {1.5e-7, "1.5e-07"},
      {1e15, "1000000000000000.0"},
      {9999999999999998.0, "9999999999999998.0"},
      {1e16, "1e+16"},
      {123456789012345678.0, "1.2345678901234568e+17"},
      {1e22, "1e+22"},
      {1e100, "1e+100"},
      {-1.5e300, "-1.5e+300"},
      {5e-324, "5e-324"},
      {2.2250738585072014e-308, "2.2250738585072014e-308"},
      {std::numeric_limits<double>::max(), "1.7976931348623157e+308"},
  };
  for (const auto& [value, text] : known) CHECK(python_float(value) == text);
}

TEST_CASE("a float's text reads back as the same float") {
  std::uint64_t state = 0x9E3779B97F4A7C15U;
  int seen = 0;
  for (int i = 0; i < 20000; ++i) {
    const double value = some_double(state);
    if (!std::isfinite(value)) continue;
    ++seen;
    const std::string text = python_float(value);
    if (std::strtod(text.c_str(), nullptr) != value) FAIL_CHECK(text);
    if (text.find_first_of(".e") == std::string::npos) FAIL_CHECK(text);
  }
  CHECK(seen > 19000);
}

TEST_CASE("quote escapes control characters and cuts on a character") {
  CHECK(quote("fp8") == "'fp8'");
  CHECK(quote("") == "''");
  CHECK(quote("a\tb\n") == "'a\\tb\\n'");
  CHECK(quote(std::string_view("\0\x1b[31m\x7f", 7)) == "'\\x00\\x1b[31m\\x7f'");
  CHECK(quote(std::string(60, 'a')) == "'" + std::string(60, 'a') + "'");
  CHECK(quote(std::string(61, 'a')) == "'" + std::string(60, 'a') + "...'");
  for (const std::string_view letter : {"é", "€", "😀"}) {
    for (std::size_t shift = 0; shift < 4; ++shift) {
      std::string text(shift, 'a');
      while (text.size() < 200) text += letter;
      CHECK(is_valid_utf8(quote(text)));
      CHECK(quote(text).size() <= 65);
    }
  }
}

TEST_CASE("join") {
  const std::string_view words[] = {"a", "b", "c"};
  CHECK(join(words) == "a, b, c");
  CHECK(join(words, " -> ") == "a -> b -> c");
  CHECK(join({}).empty());
}

TEST_CASE("nearest names") {
  const std::string_view words[] = {"gemm_dtype", "kvcache_dtype", "attention_dtype", "moe_dtype"};
  CHECK(nearest("gemm_dytpe", words) == "gemm_dtype");
  CHECK(nearest("GEMM-DTYPE", words) == "gemm_dtype");
  CHECK(nearest("kv_cache_dtype", words) == "kvcache_dtype");
  CHECK(nearest("gemm", words) == "gemm_dtype");  // goes on where the word ends
  CHECK(nearest("ge", words).empty());
  CHECK(nearest("zzzzzzzzzzzz", words).empty());
  CHECK(nearest("", words).empty());
  CHECK(nearest("gemm_dtype", {}).empty());
  CHECK(nearest(std::string(1000000, 'g'), words).empty());
  const std::string_view short_words[] = {"fp8", "x"};
  CHECK(nearest("y", short_words).empty());  // everything changed is not near
  CHECK(nearest("pf8", short_words) == "fp8");
  const std::string long_word(1000, 'a');
  const std::string_view long_words[] = {long_word};
  CHECK(nearest(std::string(64, 'b'), long_words).empty());
  CHECK(did_you_mean("gemm", short_words).empty());
  CHECK(did_you_mean("fp9", short_words) == "did you mean 'fp8'?");
}

namespace {

// The textbook's table of all distances; letters are folded already.
std::size_t slow_edits(const std::string& a, const std::string& b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = a[i - 1] == b[j - 1];
      d[i][j] = std::min({d[i - 1][j - 1] + (same ? 0 : 1), d[i - 1][j] + 1, d[i][j - 1] + 1});
      const bool crossed = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (crossed) d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

std::string_view slow_nearest(const std::string& word, const std::vector<std::string_view>& words) {
  std::size_t best = std::max<std::size_t>(2, word.size() / 3) + 1;
  std::string_view found;
  for (const std::string_view other : words) {
    const std::size_t distance = slow_edits(word, std::string(other));
    if (distance >= best || distance >= std::max(word.size(), other.size())) continue;
    best = distance;
    found = other;
  }
  if (!found.empty() || word.size() < 3) return found;
  for (const std::string_view other : words) {
    if (other.starts_with(word) && (found.empty() || other.size() < found.size())) found = other;
  }
  return found;
}

}  // namespace

TEST_CASE("nearest names are those of the whole table of distances") {
  std::mt19937 random(7);
  const auto word = [&random](std::size_t most) {
    std::string out(random() % (most + 1), ' ');
    for (char& c : out) c = "abc-"[random() % 4];
    return out;
  };
  for (int round = 0; round < 3000; ++round) {
    std::vector<std::string> kept;
    for (int i = 0; i < 6; ++i) kept.push_back(word(14));
    const std::vector<std::string_view> words(kept.begin(), kept.end());
    const std::string asked = "x" + word(12);
    CHECK(nearest(asked, words) == slow_nearest(asked, words));
    CHECK(nearest(kept[0] + "x", words) == slow_nearest(kept[0] + "x", words));
  }
}

TEST_CASE("lower and trim know ASCII only") {
  CHECK(lower("TensorRT-LLM É") == "tensorrt-llm É");
  CHECK(trim(" \t\r\n vllm \v\f") == "vllm");
  CHECK(trim("a b") == "a b");
  CHECK(trim("").empty());
  CHECK(trim(" \n ").empty());
}

TEST_CASE("UTF-8 is what RFC 3629 says") {
  for (const std::string_view good : {"", "abc", "é", "€", "😀", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf",
                                      "\xee\x80\x80", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    CHECK(is_valid_utf8(good));
  }
  CHECK(is_valid_utf8(std::string_view("\0", 1)));
  for (const std::string_view bad : {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x41", "\xe0\x9f\xbf",
                                     "\xe0\xa0", "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf0\x90\x80",
                                     "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "a\xe2\x82"}) {
    CHECK_FALSE(is_valid_utf8(bad));
  }
}

TEST_CASE("a JSON string is ASCII") {
  CHECK(escaped("a\"b\\c/") == R"("a\"b\\c/")");
  CHECK(escaped("\n\r\t\b\f") == R"("\n\r\t\b\f")");
  CHECK(escaped(std::string_view("\0\x1f\x7f", 3)) == R"("\u0000\u001f\u007f")");
  CHECK(escaped("é€") == R"("\u00e9\u20ac")");
  CHECK(escaped("😀") == R"("\ud83d\ude00")");
  CHECK(escaped("\xf4\x8f\xbf\xbf") == R"("\udbff\udfff")");
}
