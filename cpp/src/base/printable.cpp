// Which characters a reader cannot see, or a terminal would act on, and how they are shown.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <iterator>

#include "quantmap/base/text.hpp"

namespace quantmap {

namespace {

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};

// Unicode's controls, format characters (bidirectional ones are of these), separators but the plain space, private
// use, and what is drawn as nothing (Default_Ignorable_Code_Point, U+2800). The last two of each plane are no
// characters; they are told by their number.
constexpr std::array kUnseen = {
    Range{0x0000, 0x001F},   Range{0x007F, 0x00A0},   Range{0x00AD, 0x00AD},   Range{0x034F, 0x034F},
    Range{0x0600, 0x0605},   Range{0x061C, 0x061C},   Range{0x06DD, 0x06DD},   Range{0x070F, 0x070F},
    Range{0x0890, 0x0891},   Range{0x08E2, 0x08E2},   Range{0x115F, 0x1160},   Range{0x1680, 0x1680},
    Range{0x17B4, 0x17B5},   Range{0x180B, 0x180F},   Range{0x2000, 0x200F},   Range{0x2028, 0x202F},
    Range{0x205F, 0x206F},   Range{0x2800, 0x2800},   Range{0x3000, 0x3000},   Range{0x3164, 0x3164},
    Range{0xD800, 0xF8FF},   Range{0xFDD0, 0xFDEF},   Range{0xFE00, 0xFE0F},   Range{0xFEFF, 0xFEFF},
    Range{0xFFA0, 0xFFA0},   Range{0xFFF0, 0xFFFB},   Range{0x110BD, 0x110BD}, Range{0x110CD, 0x110CD},
    Range{0x13430, 0x1343F}, Range{0x1BCA0, 0x1BCA3}, Range{0x1D173, 0x1D17A}, Range{0xE0000, 0xE0FFF},
    Range{0xF0000, 0x10FFFF}};

bool is_seen(std::uint32_t point) {
  if ((point & 0xFFFEU) == 0xFFFEU) return false;
  const auto* at = std::upper_bound(kUnseen.begin(), kUnseen.end(), point,
                                    [](std::uint32_t value, const Range& range) { return value < range.first; });
  return at == kUnseen.begin() || point > std::prev(at)->last;
}

void append_escape(std::string& out, std::uint32_t point) {
  if (point == '\n' || point == '\r' || point == '\t') {
    out += point == '\n' ? "\\n" : point == '\r' ? "\\r" : "\\t";
    return;
  }
  char buffer[16];
  const char* form = point < 0x100 ? "\\x%02x" : point < 0x10000 ? "\\u%04x" : "\\U%08x";
  std::snprintf(buffer, sizeof buffer, form, static_cast<unsigned>(point));
  out += buffer;
}

// How much of a text begins it that is plain ASCII: nearly always all of it.
std::size_t plain_length(std::string_view text) {
  const auto odd = std::find_if(text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; });
  return static_cast<std::size_t>(odd - text.begin());
}

std::size_t length_of(unsigned char lead) { return lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2; }

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    if (const std::size_t plain = plain_length(text); plain > 0) {
      out += text.substr(0, plain);
      text.remove_prefix(plain);
      continue;
    }
    const auto lead = static_cast<unsigned char>(text[0]);
    const std::string_view part = text.substr(0, length_of(lead));
    if (!is_valid_utf8(part)) {  // a byte that is no character
      append_escape(out, lead);
      text.remove_prefix(1);
      continue;
    }
    std::uint32_t point = part.size() == 1 ? lead : lead & (0xFFU >> (part.size() + 1));
    for (const char c : part.substr(1)) point = point << 6U | (static_cast<unsigned char>(c) & 0x3FU);
    if (is_seen(point)) {
      out += part;
    } else {
      append_escape(out, point);
    }
    text.remove_prefix(part.size());
  }
  return out;
}

std::string one_line(std::string_view text, std::size_t bytes) {
  return text.size() > bytes ? printable(head(text, bytes)) + "..." : printable(text);
}

std::string quote(std::string_view text) {
  constexpr std::size_t kQuoted = 60;  // bytes of a text shown in a message
  return "'" + one_line(text, kQuoted) + "'";
}

}  // namespace quantmap
