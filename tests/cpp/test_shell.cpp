// shell.hpp: commands of a script, their words, and what the script says of variables and files.
#include "quantmap/shell/shell.hpp"

#include "support.hpp"

using namespace quantmap;
using quantmap::testing::errors;
using quantmap::testing::Texts;

namespace {

// The commands of a script as "word|word"; an open word is marked ?, one that may be any number of words *.
Texts commands(std::string_view text, Diagnostics& problems) {
  Texts out;
  WrittenFiles files;
  const auto visit = [&out](const Command& command) {
    std::string line;
    for (const auto& [name, value] : command.assignments) line += name + "=" + value.text + (value.open ? "?|" : "|");
    for (const Word& word : command.words) {
      line += word.text + (word.many ? "*" : word.open ? "?" : "") + "|";
    }
    out.push_back(line.substr(0, line.size() - 1));
    return true;
  };
  ScriptBudget budget;
  ShellReader({}, files, visit, problems, budget).read(text, 1);
  return out;
}

Texts commands(std::string_view text) {
  Diagnostics problems;
  Texts out = commands(text, problems);
  return problems.has_errors() ? errors(problems) : out;
}

std::string file(std::string_view script, std::string_view name) {
  WrittenFiles files;
  Diagnostics problems;
  ScriptBudget budget;
  ShellReader({}, files, [](const Command&) { return false; }, problems, budget).read(script, 1);
  const auto found = files.find(name);
  return found == nullptr ? "none" : std::to_string(found->line) + ":" + found->text + (found->open ? "?" : "");
}

}  // namespace

TEST_CASE("words") {
  CHECK(commands("") == Texts{});
  CHECK(commands(" \t\n ") == Texts{});
  CHECK(commands("a b\tc") == Texts{"a|b|c"});
  CHECK(commands("'a b' \"c d\" e\\ f") == Texts{"a b|c d|e f"});
  CHECK(commands("x '' \"\" a''b") == Texts{"x|||ab"});
  CHECK(commands("'a\\b' \"a\\b\" \"a\\\"b\" \"\\\\\" \"\\$\"") == Texts{"a\\b|a\\b|a\"b|\\|$"});
  CHECK(commands("a\\\nb \"c\\\nd\" e \\\r\n f") == Texts{"ab|cd|e|f"});
  CHECK(commands("a # the rest | of it\nb a#b") == Texts{"a", "b|a#b"});
  CHECK(commands("a \\| '|' \"&\" $'x\\ty'") == Texts{"a|||||&|x\ty"});
  CHECK(commands("a \\") == Texts{"a"});
}

TEST_CASE("commands end where a shell ends them") {
  CHECK(commands("a; b && c || d | e & f\ng") == Texts{"a", "b", "c", "d", "e", "f", "g"});
  CHECK(commands("a > log 2>&1 & b &> x <in >> y 3") == Texts{"a", "b|3"});
  CHECK(commands("if a; then b; else c; fi; for x in 1 2; do d; done; while e; do f; done") ==
        Texts{"a", "b", "c", "d", "e", "f"});
  CHECK(commands("case $x in a|b) c ;; *) d;; esac; e") == Texts{"c", "d", "e"});
  CHECK(commands("f() { a; }; function g { b; }; (c; d); ! e") == Texts{"c", "d", "e", "a", "b"});
  CHECK(commands("[[ a < b ]] && c; (( 1 < 2 )) && d") == Texts{"[[", "c", "[[", "d"});
  CHECK(commands("a <MODEL> b") == Texts{"a|<MODEL>?|b"});
}

TEST_CASE("what can never be read has its place") {
  for (const std::string_view text : {"'a", "\"a", "\"a\\", "a 'b\n", "a `b", "a $(b", "a ${b"}) {
    CHECK_MESSAGE(commands(text) == Texts{"invalid-command command"}, std::string(text));
  }
  Diagnostics problems;
  CHECK(commands("a \\\n  c 'd\nb", problems) == Texts{"b"});
  CHECK(problems.all()[0].message().find("line 2, column 5") != std::string::npos);
  Diagnostics notes;
  CHECK(commands("a \\ \n--b", notes) == Texts{"a", "--b"});
  CHECK(notes.all()[0].text().code == "blank-after-backslash");
}

TEST_CASE("variables") {
  CHECK(commands("A=1 B='x y'; c $A ${A}2 $B \"$B\"") == Texts{"c|1|12|x|y|x y"});
  CHECK(commands("c $X \"$X\" a$X $(d) \"`e`\" $1 \"$@\"") == Texts{"c|$X*|$X?|a$X?|$(d)*|`e`?|$1*|$@*"});
  CHECK(commands("A=1; c ${A:-2} ${B:-3} ${B-} ${A:+4} ${B:+5} \"${B:-x y}\" ${B:-\"x y\"} ${B:-$A}") ==
        Texts{"c|1|3|${B-}*|4|${B:+5}*|x y|x|y|1"});
  CHECK(commands("A=(1 '2 3'); A+=(4); c \"${A[@]}\" ${#A} ${A[0]}") == Texts{"c|1|2 3|4|${#A}*|1"});
  CHECK(commands("A='x'; A+=\" --y $Z\"; c $A") == Texts{"c|x|--y|$Z*"});
  CHECK(commands("export A=1; B=2 c $A") == Texts{"B=2|c|1"});
  CHECK(commands("c \"${A:-\"x y\"}\"") == Texts{"c|x y"});
  CHECK(commands(": ${A:=1}; c $A; unset A; c $A; read A; c $A").back() == "c|$A*");
}

TEST_CASE("what only a branch says is not certain behind it") {
  CHECK(commands("A=1; if x; then A=2; c $A; else c $A; fi; c $A") == Texts{"x", "c|2", "c|1", "c|$A*"});
  CHECK(commands("A=(1); if x; then A+=(2); fi; c \"${A[@]}\"") == Texts{"x", "c|1|${A[@]}*"});
  CHECK(commands("A=1; (A=2; c $A); c $A") == Texts{"c|2", "c|1"});
  CHECK(commands("A=1; [ x ] && A=2; c $A") == Texts{"[|x|]", "c|$A*"});
  CHECK(commands("cd x && A=2 && c $A") == Texts{"cd|x", "c|2"});
  CHECK(commands("for A in 1 2; do c $A; done; for B in 1; do c $B; done") == Texts{"c|$A*", "c|1"});
  CHECK(commands("case x in a) A=1;; b) A=2;; esac; c $A") == Texts{"c|$A*"});
}

TEST_CASE("files that a script writes") {
  CHECK(file("a\ncat > f.yml <<EOF\nx: 1\ny: $Z\nEOF\nb", "f.yml") == "3:x: 1\ny: $Z\n?");
  CHECK(file("cat <<'EOF' > d/f\n$X\nEOF", "/e/f") == "2:$X\n");
  CHECK(file("cat <<-\tEOF | tee f\n\tx\n\tEOF\n", "f") == "2:x\n");
  CHECK(file("echo -e 'a\\nb' > f", "f") == "1:a\nb\n");
  CHECK(file("tee -a f <<< \"x\"", "f") == "1:x");
  CHECK(commands("cat <<A <<B; c\na\nA\nb\nB\nd") == Texts{"cat", "c", "d"});
}

TEST_CASE("a function is read with the words of its calls, once when nothing calls it") {
  CHECK(commands("f() { a $1 \"$@\"; shift; b $#; }; f x 'y z'") == Texts{"a|x|x|y z", "shift", "b|1"});
  CHECK(commands("f()\n{\n a ${1:-d}\n}\nf; f e") == Texts{"a|d", "a|e"});
  CHECK(commands("f() { local v=$1; a $v; }; v=o; f i; b $v") == Texts{"a|i", "b|o"});
  CHECK(commands("g() { f $1; }; f() { a $1; }; g x; h() { c; }") == Texts{"a|x", "c"});
  CHECK(commands("f() { f; a; }; f").size() < 20);
  CHECK(commands("f() { a") == Texts{"a"});
}

TEST_CASE("a command in a variable that branches choose is each of theirs") {
  CHECK(commands("if t; then C='a 1'; else C='b 2'; fi; exec $C 3") == Texts{"t", "exec|a|1|3", "exec|b|2|3"});
  CHECK(commands("C=\"a\\\n 1\"; if t; then C=\"$C $x\"; fi; $C") == Texts{"t", "a|1|$C*"});
}

TEST_CASE("what grows without end gets unknown values") {
  std::string text = "A=xxxxxxxxxxxxxxxx\n";
  for (int i = 0; i < 40; ++i) text += "A=$A$A\n";
  CHECK(commands(text + "c \"$A\"") == Texts{"c|$A?"});
  std::string deep = "c ";
  for (int i = 0; i < 5000; ++i) deep += "${A:-";
  deep.append(5000, '}');
  CHECK(commands(deep).size() == 1);
}

TEST_CASE("scripts inside of a script have no budget of their own for calls") {
  ScriptBudget budget;
  const auto count = [&budget] {
    std::size_t found = 0;
    WrittenFiles files;
    Diagnostics problems;
    const auto visit = [&found](const Command&) { return ++found > 0; };
    ShellReader({}, files, visit, problems, budget).read("f() { f; f; f; f; a; }; f", 1);
    return found;
  };
  CHECK(count() > 1000);
  CHECK(count() < 10);  // what the first has left pays for no call
}
