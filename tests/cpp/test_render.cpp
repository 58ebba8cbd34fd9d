// render.hpp: words, quoting, YAML.
#include "quantmap/mapping/render.hpp"

#include "quantmap/shell/shell.hpp"
#include "support.hpp"

using namespace quantmap;
using quantmap::testing::config;
using quantmap::testing::json;
using quantmap::testing::Texts;

TEST_CASE("quoted words are read back") {
  for (const std::string_view word : {"a", "", " ", "a b", "it's", "''", "\"", "\\", "$x", "`", "#", "a\nb", "|", "~",
                                      "é", "--flag=value", "{\"a\": 1}"}) {
    const std::string quoted = shell_quote(word);
    Diagnostics problems;
    WrittenFiles files;
    Texts words;
    const auto visit = [&words](const Command& command) {
      for (const Word& read : command.words) words.push_back(read.text);
      return true;
    };
    ScriptBudget budget;
    ShellReader({}, files, visit, problems, budget).read("x " + quoted, 1);
    CHECK_MESSAGE((words == Texts{"x", std::string(word)}), quoted);
  }
  CHECK(shell_quote("--tp=4") == "--tp=4");
  CHECK(shell_quote("a b") == "'a b'");
}

TEST_CASE("a switch is a bare flag, a switch that is off is nothing") {
  Mapping mapping = map_config(config(R"({"gemm_dtype": "bfloat16"})"), *find_engine("vllm"), {});
  Argument on;
  on.flag = "--on";
  on.value = true;
  Argument off;
  off.flag = "--off";
  off.value = false;
  Argument variable;
  variable.flag = "NAME";
  variable.value = std::string("value");
  variable.kind = ChannelKind::kEnv;
  Argument dashed;
  dashed.flag = "--name";
  dashed.value = std::string("--on");
  mapping.arguments.insert(mapping.arguments.end(), {on, off, variable, dashed});
  CHECK(argv(mapping) == Texts{"--dtype", "bfloat16", "--kv-cache-dtype", "auto", "--on", "--name=--on"});
}

TEST_CASE("YAML in blocks") {
  CHECK(write_yaml(json(R"({"a": {"b": [1, "x", null, true, {"c": 2, "d": [3]}]}, "e": [], "f": {}})")) ==
        "a:\n  b:\n    - 1\n    - x\n    - null\n    - true\n    - c: 2\n      d:\n        - 3\ne: []\nf: {}\n");
  CHECK(write_yaml(json("[]")) == "[]\n");
  CHECK(write_yaml(json("[[1]]")) == "- - 1\n");
}

TEST_CASE("texts that YAML would read as something else are quoted") {
  for (const std::string_view word :
       {"yes", "No", "null", "1", "1e3", ".5", "a: b", "a #b", "", "- a", "12:30", "*a", "~"}) {
    const std::string out = write_yaml(Value::text(std::string(word)));
    CHECK_MESSAGE(out.front() == '"', out);
  }
  CHECK(write_yaml(Value::text("fp8_e4m3")) == "fp8_e4m3\n");
  CHECK(write_yaml(Value::text("a.b-c/d")) == "a.b-c/d\n");
}
