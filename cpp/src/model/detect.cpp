// What engines make of claims, what a model id says, and where claims differ.
#include <algorithm>

#include "base/letters.hpp"
#include "model/declarations.hpp"
#include "quantmap/base/text.hpp"

namespace quantmap {

namespace {

const Declaration* claim_from(const std::vector<Declaration>& claims, std::size_t source) {
  for (const Declaration& claim : claims) {
    if (static_cast<std::size_t>(claim.source) == source) return &claim;
  }
  return nullptr;
}

Detection detect_by(const EngineDetection& table, const std::vector<Declaration>& claims) {
  Detection out;
  out.engine = find_engine(table.engine);
  out.evidence.assign(table.evidence.begin(), table.evidence.end());
  const Declaration* claim = nullptr;
  for (const std::uint8_t source : table.order) {
    if (claim == nullptr) claim = claim_from(claims, source);
  }
  if (claim == nullptr) return out;
  out.source = claim->place;
  for (const DetectionRow& row : table.rows) {
    if (!holds(row.when, *claim)) continue;
    out.refused = row.refused;
    out.method = row.name.starts_with('=') ? claim->fact(row.name.substr(1)) : row.name;
    out.reason = row.why;
    if (!row.evidence.empty()) out.evidence.assign(row.evidence.begin(), row.evidence.end());
    break;
  }
  return out;
}

bool is_separator(char c) { return c == '-' || c == '_' || c == '.' || c == '/' || c == ' '; }

bool is_variant(std::string_view word) {
  const auto& after = catalog().detection.name_after;
  const bool number = std::all_of(word.begin(), word.end(), is_digit);
  return number || std::find(after.begin(), after.end(), word) != after.end();
}

void differ(std::vector<Disagreement>& out, const std::vector<Declaration>& claims, std::string subject,
            const std::string& consequence, std::string (*say)(const Declaration&)) {
  Disagreement item;
  item.subject = std::move(subject);
  item.consequence = consequence;
  bool differs = false;
  for (const Declaration& claim : claims) {
    std::string words = say(claim);
    if (words.empty()) continue;
    differs = differs || (!item.claims.empty() && item.claims.front().second != words);
    item.claims.emplace_back(claim.place, std::move(words));
  }
  if (differs) out.push_back(std::move(item));
}

std::string say_method(const Declaration& claim) {
  return std::string(catalog().checkpoint_kinds[claim.quantization.kind].title);
}

std::string say_bits(const Declaration& claim) {
  const auto& schemes = claim.quantization.schemes;
  return schemes.size() == 1 ? std::to_string(static_cast<int>(schemes[0].weight_bits)) : std::string();
}

std::string say_group(const Declaration& claim) {
  const auto& schemes = claim.quantization.schemes;
  const bool said = schemes.size() == 1 && schemes[0].group_size != 0;
  return said ? std::to_string(schemes[0].group_size) : std::string();
}

std::string say_kv(const Declaration& claim) {
  if (claim.source == Source::kName || claim.source == Source::kHeaders) return {};
  return claim.quantization.kv_dtype.empty() ? "nothing" : claim.quantization.kv_dtype;
}

}  // namespace

std::vector<Detection> detect(const std::vector<Declaration>& claims) {
  std::vector<Detection> out;
  for (const EngineDetection& table : catalog().detection.engines) out.push_back(detect_by(table, claims));
  return out;
}

const Declaration* deciding(const std::vector<Declaration>& claims) {
  for (std::size_t source = 0; source < catalog().detection.sources.size(); ++source) {
    if (const Declaration* claim = claim_from(claims, source)) return claim;
  }
  return nullptr;
}

std::optional<Declaration> claim_of_name(std::string_view id) {
  std::vector<std::string> words{""};
  for (const char c : lower(id.substr(id.rfind('/') == id.npos ? 0 : id.rfind('/') + 1))) {
    if (is_separator(c)) {
      words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  // A format's word may not come first, and nothing but words for variants may follow it.
  for (std::size_t i = 1; i < words.size(); ++i) {
    for (const FactPair& word : catalog().detection.name_words) {
      if (word.fact != words[i]) continue;
      if (!std::all_of(words.begin() + static_cast<std::ptrdiff_t>(i) + 1, words.end(), is_variant))
        return std::nullopt;
      return bare_claim(Source::kName, "its name", std::string(word.value));
    }
  }
  return std::nullopt;
}

std::size_t kind_in_name(std::string_view id) {
  const auto claim = claim_of_name(id);
  return claim ? claim->quantization.kind : 0;
}

std::vector<Disagreement> compare(const std::vector<Declaration>& claims, const std::vector<Detection>& detections) {
  std::string consequence;
  for (const Detection& detection : detections) {
    if (!consequence.empty()) consequence += "; ";
    consequence += std::string(detection.engine->name) + ": ";
    consequence += detection.refused ? "refused" : detection.method.empty() ? "not quantized" : detection.method;
  }
  std::vector<Disagreement> out;
  differ(out, claims, "method", consequence, say_method);
  differ(out, claims, "weight bits", consequence, say_bits);
  differ(out, claims, "group size", consequence, say_group);
  differ(out, claims, "KV cache", consequence, say_kv);
  return out;
}

}  // namespace quantmap
