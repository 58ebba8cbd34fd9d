// pattern.hpp: what Python's re.match would say, in time that no pattern can blow up.
#include "quantmap/pattern/pattern.hpp"

#include <chrono>

#include "support.hpp"

using namespace quantmap;

namespace {

constexpr std::string_view kPath = "model/layers[0]/self_attn/q_proj";

Pattern compiled(std::string_view text) {
  PatternError error;
  auto pattern = Pattern::compile(text, error);
  REQUIRE_MESSAGE(pattern.has_value(), std::string(text) << ": " << error.what);
  return std::move(*pattern);
}

bool matches(std::string_view pattern, std::string_view text) { return compiled(pattern).matches(text); }

// "position: what", or "" for a good pattern.
std::string refusal(std::string_view text) {
  PatternError error;
  if (Pattern::compile(text, error)) return "";
  return std::to_string(error.position) + ": " + error.what;
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

}  // namespace

TEST_CASE("a match starts at the start and may end anywhere") {
  CHECK(matches("", ""));
  CHECK(matches("", "abc"));
  CHECK(matches("ab", "abc"));
  CHECK_FALSE(matches("bc", "abc"));
  CHECK_FALSE(matches("abc", "ab"));
  CHECK(matches(".*q_proj", kPath));
  CHECK(matches(".*", ""));
  CHECK_FALSE(matches("q_proj", kPath));
  CHECK(matches(R"(model/layers\[\d+\]/self_attn)", kPath));
  CHECK_FALSE(matches(R"(.*layers\.\d+)", kPath));
  CHECK(matches("^(?!.*(mlp|gate)).*$", kPath));
  CHECK_FALSE(matches("^(?!.*(mlp|attn)).*$", kPath));
}

TEST_CASE("classes, escapes and categories") {
  CHECK(matches("[a-c]+$", "abc"));
  CHECK_FALSE(matches("[^a-c]", "a"));
  CHECK(matches("[]x]", "]"));
  CHECK(matches("[^]x]", "a"));
  CHECK(matches("[a-]$", "-"));
  CHECK(matches("[-a]$", "-"));
  CHECK(matches(R"([\]\\])", "\\"));
  CHECK(matches(R"([\w-]+$)", "a-b"));
  CHECK(matches(R"(\x41\u0042\U00000043\103\07$)", "ABCC\a"));
  CHECK(matches(R"([\b\7]+$)", "\b\a"));
  CHECK(matches(R"(\d\D\s\S\w\W$)", "1a b_-"));
  CHECK(matches(R"(\s)", "\x1c"));
  CHECK_FALSE(matches(".", "\n"));
  CHECK(matches("[é-ü]|x", "x"));
  CHECK(matches("[^é]", "x"));
  CHECK_FALSE(matches("é", "e"));
  CHECK(matches(std::string_view("\0a", 2), std::string_view("\0a", 2)));
}

TEST_CASE("repeats") {
  CHECK(matches("a{2,3}$", "aaa"));
  CHECK_FALSE(matches("a{2,3}$", "aaaa"));
  CHECK_FALSE(matches("a{2}$", "a"));
  CHECK(matches("a{,2}$", "aa"));
  CHECK_FALSE(matches("a{,2}$", "aaa"));
  CHECK(matches("a{2,}$", "aaaaa"));
  CHECK(matches("a{,}$", "aaaaa"));
  CHECK(matches("a{0}b", "b"));
  CHECK(matches("a{}", "a{}"));
  CHECK(matches("a{x,1}", "a{x,1}"));
  CHECK(matches("a{1", "a{1"));
  CHECK(matches("{", "{"));
  CHECK(matches("(?:ab)+?c", "ababc"));
  CHECK(matches("(a*)*b", "aab"));
  CHECK(matches("(?:|a){3}b", "aab"));
  CHECK(matches("(?:){1000}x", "x"));
}

TEST_CASE("anchors, boundaries and look-ahead") {
  CHECK(matches("a$", "a\n"));
  CHECK_FALSE(matches("a$", "a\n\n"));
  CHECK_FALSE(matches(R"(a\Z)", "a\n"));
  CHECK(matches(R"(\Aa\Z)", "a"));
  CHECK_FALSE(matches("a^b", "ab"));
  CHECK(matches(R"(a\b/\bb)", "a/b"));
  CHECK_FALSE(matches(R"(a\bb)", "ab"));
  CHECK(matches(R"(a\Bb)", "ab"));
  CHECK_FALSE(matches(R"(\B)", ""));
  CHECK(matches("a(?=b)b", "ab"));
  CHECK_FALSE(matches("a(?=c)b", "ab"));
  CHECK(matches("(?!(?!a))a", "a"));
  CHECK(matches("(?:(?!bc)[abc])*bc$", "aacabc"));
  CHECK_FALSE(matches("(?!)", ""));
  CHECK(matches("(?P<first>a)(?#note)+b", "aab"));
}

TEST_CASE("what is refused, with its position") {
  CHECK(refusal("a(") == "1: missing ), unterminated subpattern");
  CHECK(refusal("a)") == "1: unbalanced parenthesis");
  CHECK(refusal("x[ab") == "1: unterminated character set");
  CHECK(refusal("[a-") == "0: unterminated character set");
  CHECK(refusal("é[b-a]") == "2: bad character range");
  CHECK(refusal(R"([a-\d])") == "1: bad character range");
  CHECK(refusal("*a") == "0: nothing to repeat");
  CHECK(refusal("^*") == "1: nothing to repeat");
  CHECK(refusal("a**") == "2: multiple repeat");
  CHECK(refusal("a{3,2}") == "2: min repeat greater than max repeat");
  CHECK(refusal("a\\") == "1: bad escape (end of pattern)");
  CHECK(refusal(R"(\q)") == "0: bad escape");
  CHECK(refusal(R"(\x4)") == "0: incomplete escape");
  CHECK(refusal(R"([\400])") == "1: octal escape value outside of range 0-0o377");
  CHECK(refusal(R"(a\1)") == "1: back-references are not supported");
  CHECK(refusal("(?P=a)") == "0: back-references are not supported");
  CHECK(refusal("a(?<=b)") == "1: look-behind is not supported");
  CHECK(refusal("a(?<!b)") == "1: look-behind is not supported");
  CHECK(refusal("(?i)a") == "0: inline flags are not supported");
  CHECK(refusal("(?>a)") == "0: atomic groups are not supported");
  CHECK(refusal("(?(1)a)") == "0: conditional groups are not supported");
  CHECK(refusal("a++") == "1: possessive repeats are not supported");
  CHECK(refusal("(?") == "2: unexpected end of pattern");
  CHECK(refusal("(?P<1>a)") == "4: a group name is letters, digits and underscores");
  CHECK(refusal("(?P<a>a)(?P<a>b)") == "12: redefinition of a group name");
  CHECK(refusal("\xff") == "0: text that is not valid Unicode");
}

TEST_CASE("limits are errors") {
  CHECK(refusal(std::string(Pattern::kMostCharacters, 'a')).empty());
  CHECK(refusal(std::string(Pattern::kMostCharacters + 1, 'a')) == "1000: longer than 1000 characters");
  CHECK(refusal("a{1001}") == "1: a repeat count above 1000");
  CHECK(refusal("a{99999999999999999999}") == "1: a repeat count above 1000");
  CHECK(refusal("(?:a{100}){100}") == "3: more than 5000 states");
  CHECK_FALSE(refusal("((((a{1000}){1000}){1000}){1000}){1000}").empty());
  CHECK(refusal(repeated("(", 100) + repeated(")", 100)).empty());
  CHECK(refusal(repeated("(", 101) + repeated(")", 101)) == "100: groups nested deeper than 100");
  CHECK(refusal("((((((((){1000}){1000}){1000}){1000}){1000}){1000}){1000})").empty());
  const Pattern any = compiled(".*");
  CHECK(any.matches(std::string(Pattern::kMostText, 'a')));
  CHECK_FALSE(any.matches(std::string(Pattern::kMostText + 1, 'a')));
  CHECK_FALSE(any.matches("é"));
}

TEST_CASE("patterns that make backtracking explode are answered at once") {
  const std::string text = std::string(Pattern::kMostText - 1, 'a') + "b";
  const auto start = std::chrono::steady_clock::now();
  CHECK_FALSE(matches("(a+)+$", text));
  CHECK_FALSE(matches("(a|a)*$", text));
  CHECK_FALSE(matches("(a|aa)+$", text));
  CHECK_FALSE(matches("(.*a){20}$", text));
  CHECK_FALSE(matches("(?:a?){500}a{500}$", text));
  CHECK_FALSE(matches("((((a*)*)*)*)*$", text));
  CHECK_FALSE(matches("(?:(?=(a+)+$)a|aa)*$", text));
  CHECK_FALSE(matches("(?=(?=(?=.*a.*a.*a$).*a.*a$).*a$)" + repeated("(?=.*.*.*c)", 50), text));
  CHECK_FALSE(matches("(?:(?:a{0,10}){0,10}){0,10}$", text));
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(10));
}

TEST_CASE("what is plain about a pattern without a text") {
  CHECK(compiled(".*").always());
  CHECK(compiled("^.*").always());
  CHECK(compiled("").always());
  CHECK_FALSE(compiled(".+").always());
  CHECK_FALSE(compiled("(?!a).*").always());
  for (const std::string_view possible :
       {".*", "model/layers", "model.layers", R"(.*layers\[\d+\]/mlp)", "^.*q_proj$", "^(?!.*layers\\.0).*$",
        R"(model(\.|/)layers)", "", "(?:model/)?lm_head$", "[^/]+$"}) {
    CHECK_MESSAGE(compiled(possible).can_match_path(), std::string(possible));
  }
  for (const std::string_view impossible : {R"(layers\.\d+)", R"(.*layers\.\d+\.mlp)", "/model", "model//layers",
                                            "[0-9]", "a$b", R"(.*\]q)", R"(.*layers\[\d+\]$)", "(?!)[é]", "a b"}) {
    CHECK_MESSAGE(!compiled(impossible).can_match_path(), std::string(impossible));
  }
  CHECK(compiled(R"(model(\.|/)layers)").dead_part() == 6U);
  CHECK(compiled(R"(^(?!.*layers\.\d+\.mlp).*$)").dead_part() == 12U);
  CHECK_FALSE(compiled(".*[./]mlp").dead_part().has_value());
}
