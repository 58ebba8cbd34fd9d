// What each file of a checkpoint says about its quantization, in one language.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quantmap/catalog/catalog.hpp"
#include "quantmap/model/checkpoint.hpp"

namespace quantmap {

struct Declaration {
  Source source = Source::kName;
  std::string place;  // "config.json#/quantization_config"
  // What rows of the catalogue test: method, algorithm, format, block, ... A fact may have several values.
  std::vector<std::pair<std::string, std::string>> facts;
  Quantization quantization;

  [[nodiscard]] std::string_view fact(std::string_view name) const;
  void add(std::string_view name, std::string value);
};

// The claim of a quantization config of any shape.
[[nodiscard]] Declaration read_claim(const Value& object, Source source, std::string place, const Path& path,
                                     Diagnostics& warnings);

// The claim of a source that needs no content: a file format, a word of a model id.
[[nodiscard]] Declaration bare_claim(Source source, std::string place, std::string method);

// The claim that a model id makes, if one of its words names a format and nothing but variants follow it.
[[nodiscard]] std::optional<Declaration> claim_of_name(std::string_view id);

[[nodiscard]] bool holds(std::span<const FactTerm> when, const Declaration& claim);

// What every engine makes of the claims.
[[nodiscard]] std::vector<Detection> detect(const std::vector<Declaration>& claims);

// The claim that counts: that of the first source in the catalogue's order.
[[nodiscard]] const Declaration* deciding(const std::vector<Declaration>& claims);

// Where the claims differ.
[[nodiscard]] std::vector<Disagreement> compare(const std::vector<Declaration>& claims,
                                                const std::vector<Detection>& detections);

}  // namespace quantmap
