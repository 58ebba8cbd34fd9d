// Arbitrary bytes as text: the reader of JSON, the walk over headers, and what is shown of either.
//
// Nothing is mapped here, so that a soak goes through many millions of inputs; fuzz_json maps what was read.
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "base/json_scan.hpp"
#include "quantmap/base/json_io.hpp"
#include "quantmap/base/text.hpp"

using namespace quantmap;

namespace {

constexpr std::size_t kFew = 1000;  // values: the limit is met as well

void require(bool holds, const char* what, std::string_view detail = {}) {
  if (holds) return;
  std::fprintf(stderr, "invariant broken: %s: %.*s\n", what, static_cast<int>(detail.size()), detail.data());
  std::abort();
}

bool shows_controls(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return true;
  }
  return false;
}

void check_shown(std::string_view text) {
  const std::string shown = printable(text);
  require(is_valid_utf8(shown), "what is shown is UTF-8", shown);
  require(!shows_controls(shown), "what is shown steers no terminal", shown);
  require(printable(shown).size() >= shown.size(), "what is shown stays", shown);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_shown(text);
  Diagnostics problems;
  const auto value = read_json(text, Path("$"), problems, kFew);
  require(value.has_value() != problems.has_errors(), "an error or a value");
  for (const Diagnostic& item : problems.all()) {
    require(!item.message().empty() && is_valid_utf8(item.message()), "a message in UTF-8", item.text().code);
    require(!shows_controls(item.message()) && !shows_controls(item.path), "a plain message", item.text().code);
  }
  if (!value) return 0;
  JsonScan scan(text.substr(text.starts_with("\xEF\xBB\xBF") ? 3 : 0));  // a mark that editors leave
  require(scan.skip() && scan.at_end(), "the walk takes what the reader takes");
  const std::string written = write_json(*value);
  const auto again = read_json(written, Path("$"), problems, kFew);
  require(again.has_value(), "what is written reads back", written);
  require(write_json(*again) == written, "and is the same", written);
  return 0;
}
