// Arbitrary text as a script: every launch that is found is judged, whatever it says.
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "quantmap/base/text.hpp"
#include "quantmap/check/check.hpp"

using namespace quantmap;

namespace {

void require(bool holds, const char* what, std::string_view detail = {}) {
  if (holds) return;
  std::fprintf(stderr, "invariant broken: %s: %.*s\n", what, static_cast<int>(detail.size()), detail.data());
  std::abort();
}

void check_notes(const Diagnostics& notes) {
  for (const Diagnostic& note : notes.all()) {
    require(is_valid_utf8(note.message()) && !note.message().empty(), "a note has words", note.text().code);
  }
}

void check_launch(const Checked& launch, std::size_t lines) {
  require(launch.engine != nullptr, "an engine");
  require(launch.line >= 1 && launch.line <= lines, "a line of the text");
  check_notes(launch.notes);
  for (const Verdict& verdict : launch.verdicts) {
    require(is_valid_utf8(verdict.reason) && is_valid_utf8(verdict.hint), "words are UTF-8", verdict.flag);
    require(!is_refusal(verdict.judgement) || !verdict.reason.empty(), "a refusal has a reason", verdict.flag);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (!is_valid_utf8(text)) return 0;
  CheckRequest request;
  request.command = Value::text(text);
  Diagnostics problems;
  const auto script = check_script(request, problems);
  require(script.has_value() != problems.has_errors(), "an error or launches");
  check_notes(problems);
  if (!script) return 0;
  check_notes(script->notes);
  std::size_t lines = 1;
  for (const char c : text) lines += c == '\n' ? 1 : 0;
  for (const Checked& launch : script->launches) check_launch(launch, lines);
  return 0;
}
