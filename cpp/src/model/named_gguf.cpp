// GGUF files that are known by name only.
#include <algorithm>

#include "base/letters.hpp"
#include "model/declarations.hpp"
#include "quantmap/base/text.hpp"
#include "quantmap/model/checkpoint.hpp"

namespace quantmap {

namespace {

bool is_repository(std::string_view text) {
  if (text.empty() || !is_alnum(text.front()) || text.back() == '/') return false;
  return std::count(text.begin(), text.end(), '/') == 1 &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_alnum_or(c, "_-./"); });
}

// "Q4_K_M", "UD-IQ2_XXS", "BF16": a type of GGUF's, with words around it.
bool is_gguf_type(const std::string& word) {
  const auto& types = catalog().weights.gguf;
  return std::any_of(types.begin(), types.end(), [&word](const StoredDtype& type) {
    const std::string name = lower(type.name);
    const std::size_t at = word.find(name);
    if (at == word.npos || (at > 0 && word[at - 1] != '-')) return false;
    const std::size_t end = at + name.size();
    return end == word.size() || word[end] == '_';
  });
}

// The id of a repository with a type behind it.
bool is_in_repository(const std::string& named) {
  const std::size_t colon = named.rfind(':');
  if (colon == named.npos) return false;
  return is_repository(std::string_view(named).substr(0, colon)) && is_gguf_type(lower(named.substr(colon + 1)));
}

}  // namespace

std::optional<Checkpoint> unread_gguf(const std::string& named) {
  Checkpoint out;
  out.in_repository = is_in_repository(named);
  if (!out.in_repository && !lower(named).ends_with(".gguf")) return std::nullopt;
  out.source = named;
  out.evidence = Evidence::kConfig;
  const std::vector<Declaration> claims{bare_claim(Source::kGguf, named, {})};
  out.quantization = claims.front().quantization;
  out.format = out.quantization.method;
  out.detections = detect(claims);
  return out;
}

}  // namespace quantmap
