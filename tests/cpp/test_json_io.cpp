// json_io.hpp: JSON text in and out.
#include "quantmap/base/json_io.hpp"
#include "quantmap/catalog/codes.hpp"

#include <limits>

#include "support.hpp"

using namespace quantmap;
using quantmap::testing::errors;
using quantmap::testing::json;
using quantmap::testing::Texts;

namespace {

// What is wrong with a text: "code path", and for bad syntax "line:column".
struct Verdict {
  Texts codes;
  std::string place;
  std::string message;
};

Verdict judge(std::string_view text) {
  Diagnostics problems;
  const auto value = read_json(text, Path("$"), problems);
  Verdict out{errors(problems), {}, {}};
  CHECK(value.has_value() == out.codes.empty());
  if (out.codes.empty()) return out;
  CHECK(out.codes.size() == 1);
  const Diagnostic& first = problems.all().front();
  out.message = first.message();
  std::string column;
  for (const auto& [key, shown] : first.context) {
    if (key == "line") out.place = shown;
    if (key == "column") column = shown;
  }
  if (!column.empty()) out.place += ":" + column;
  return out;
}

std::string nested(std::size_t depth, char open, char close) {
  return std::string(depth, open) + std::string(depth, close);
}

}  // namespace

TEST_CASE("every kind of value is read") {
  const Value value =
      json(R"( {"a": null, "b": [true, false], "c": -12, "d": 0.5, "e": "x\u00e9\ud83d\ude00", "f": {}} )");
  REQUIRE(value.is_object());
  REQUIRE(value.members().size() == 6);
  CHECK(value.find("a")->is_null());
  CHECK(value.find("b")->items().at(0).as_boolean());
  CHECK_FALSE(value.find("b")->items().at(1).as_boolean());
  CHECK(value.find("c")->kind() == Value::Kind::kInteger);
  CHECK(value.find("c")->as_text() == "-12");
  CHECK(value.find("d")->as_real() == 0.5);
  CHECK(value.find("e")->as_text() == "xé😀");
  CHECK(value.find("f")->members().empty());
  CHECK(value.find("g") == nullptr);
  CHECK(json("null").is_null());
  CHECK(json("\"\\u0000\"").as_text() == std::string(1, '\0'));
}

TEST_CASE("integers of any size keep their digits") {
  for (const std::string_view digits :
       {"0", "9223372036854775807", "-9223372036854775808", "9223372036854775808", "18446744073709551615",
        "18446744073709551616", "1000000000000000000000000000000", "-1000000000000000000000000000000"}) {
    const Value value = json(digits);
    CHECK(value.kind() == Value::Kind::kInteger);
    CHECK(value.as_text() == digits);
  }
  CHECK(json("1e2").kind() == Value::Kind::kReal);
  CHECK(json("1.0").kind() == Value::Kind::kReal);
}

TEST_CASE("bad syntax is placed by line and column") {
  const std::pair<std::string_view, std::string_view> known[] = {
      {R"({"a": })", "1:7"},    {"{\n  \"a\": 1,\n  oops\n}", "3:3"},
      {"[1, 2", "1:6"},         {"", "1:1"},
      {"{} x", "1:4"},          {"[1,]", "1:4"},
      {"{'a': 1}", "1:2"},      {"[\n\n\n]]", "4:2"},
      {"nul", "1:4"},           {"[1\n,\n,2]", "3:1"},
      {"{\"a\" 1}", "1:6"},     {"// comment\n1", "1:1"},
      {{"{}\n\0{}", 6}, "2:1"}, {{"1\0", 2}, "1:2"},  // what stands behind a NUL is not passed over
  };
  for (const auto& [text, place] : known) {
    const std::string shown(text);
    CAPTURE(shown);
    const Verdict verdict = judge(text);
    CHECK(verdict.codes == Texts{"invalid-json $"});
    CHECK(verdict.place == place);
    CHECK(verdict.message.find("json.exception") == std::string::npos);
  }
}

TEST_CASE("what JSON does not have is refused") {
  for (const std::string_view text : {"NaN", "Infinity", "-Infinity", "[0x10]", "[01]", "[+1]", "[.5]", "[1.]", "True",
                                      "\"\n\"", "\"\\x41\"", "\"\\ud800\"", "\"unended", "[1 2]", "undefined"}) {
    CAPTURE(std::string(text));
    CHECK(judge(text).codes == Texts{"invalid-json $"});
  }
}

TEST_CASE("a number too large for a double is refused, with its path") {
  CHECK(judge("1e400").codes == Texts{"not-finite $"});
  CHECK(judge(R"({"a": [0, {"b c": -1e400}]})").codes == Texts{"not-finite $.a[1]['b c']"});
  CHECK(judge("[" + std::string(1000, '9') + "]").codes == Texts{"not-finite $[0]"});
}

TEST_CASE("bytes that are not UTF-8 are refused") {
  for (const std::string_view text : {"\"\xff\"", "\"\xed\xa0\x80\"", "\"\xc0\x80\"", "\xfe\xff"}) {
    CHECK(judge(text).codes == Texts{"invalid-unicode $"});
  }
}

TEST_CASE("a key given twice is refused, with its path") {
  CHECK(judge(R"({"a": 1, "a": 1})").codes == Texts{"duplicate-key $.a"});
  CHECK(judge(R"({"a": 1, "\u0061": 1})").codes == Texts{"duplicate-key $.a"});
  CHECK(judge(R"({"x": [0, {"k": {"a": 1, "b": 2, "a": 3}}]})").codes == Texts{"duplicate-key $.x[1].k.a"});
  CHECK(judge(R"({"": 1, "": 2})").codes == Texts{"duplicate-key $['']"});
  CHECK(judge("{\"a b\": {\"\\n\": 1, \"\\n\": 2}}").codes == Texts{"duplicate-key $['a b']['\\n']"});
  CHECK(judge(R"([{"a": 1}, {"a": 1}])").codes.empty());
  CHECK(judge(R"({"a": {"a": {"a": 1}}})").codes.empty());
}

TEST_CASE("nesting is followed to kMaxDepth and no further") {
  CHECK(judge(nested(kMaxDepth, '[', ']')).codes.empty());
  CHECK(judge(nested(kMaxDepth + 1, '[', ']')).codes == Texts{"too-deep $"});
  CHECK(judge(nested(2000000, '[', ']')).codes == Texts{"too-deep $"});
  std::string objects;
  for (std::size_t i = 0; i < kMaxDepth + 1; ++i) objects += "{\"a\":";
  CHECK(judge(objects).codes == Texts{"too-deep $"});
}

TEST_CASE("what is written reads back") {
  for (const std::string_view text :
       {"null", "true", "false", "[]", "{}", "[[],{}]", R"({"a":1,"b":[1,2.5,-3],"c":{"d":"e"}})",
        "\"\\u20ac\\ud83d\\ude00\"", "1000000000000000000000000000000", "1e+22", "[0.1,-0.0]", "\"\\\"\\\\\\u0001\""}) {
    CHECK(write_json(json(text)) == text);
  }
}

TEST_CASE("what JSON cannot hold is written as null") {
  Value list = Value::array();
  list.append(Value::foreign("set"));
  list.append(Value::broken(Code::kTooDeep));
  list.append(Value::real(std::numeric_limits<double>::infinity()));
  list.append(Value::real(std::numeric_limits<double>::quiet_NaN()));
  CHECK(write_json(list) == "[null,null,null,null]");
}

TEST_CASE("values and keys are counted before they are kept") {
  const auto codes = [](std::string_view text, std::size_t most) {
    quantmap::Diagnostics problems;
    const bool read = read_json(text, quantmap::Path("$"), problems, most).has_value();
    return read ? std::string() : std::string(problems.all().front().text().code);
  };
  CHECK(codes("[1,2,3]", 4).empty());
  CHECK(codes("[1,2,3]", 3) == "over-limit");
  CHECK(codes("{\"a\":1,\"b\":2}", 5).empty());
  CHECK(codes("{\"a\":1,\"b\":2}", 4) == "over-limit");
  CHECK(codes("[[[]]]", 3).empty());
  CHECK(codes("[[[]]]", 2) == "over-limit");
}
