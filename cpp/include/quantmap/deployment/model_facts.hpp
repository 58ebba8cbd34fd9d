// What is known of a model, as rules, kernels and shapes ask for it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quantmap/catalog/catalog.hpp"
#include "quantmap/model/checkpoint.hpp"

namespace quantmap {

// What rules ask of a model, as sets. Nothing is known of a model that was not read.
struct ModelMarks {
  TraitMask has = 0;          // bit i: it has Catalog::traits[i]
  TraitMask lacks = 0;        // bit i: it has not
  std::uint32_t schemes = 1;  // bit i: some group of modules is quantized by Catalog::schemes[i]; bit 0: none is known
  std::uint8_t dtype = 0;     // index into Catalog::model_dtypes: what its config says
  std::uint8_t kv_dtype = 0;  // index into Catalog::kv_dtypes: the KV cache that its checkpoint asks for

  [[nodiscard]] bool operator==(const ModelMarks&) const = default;
};

[[nodiscard]] constexpr bool has_trait(const ModelMarks& marks, TraitId trait) noexcept {
  return ((marks.has >> static_cast<unsigned>(trait)) & 1U) != 0;
}
[[nodiscard]] constexpr bool lacks_trait(const ModelMarks& marks, TraitId trait) noexcept {
  return ((marks.lacks >> static_cast<unsigned>(trait)) & 1U) != 0;
}

// What a model's files say, as far as it decides anything.
struct ModelFacts {
  Architecture architecture;
  Quantization quantization;
  std::vector<std::uint8_t> schemes;  // SchemeKind of each of quantization.schemes
  std::vector<std::uint8_t> parts;    // of each: bit i: it quantizes ModelPart i
  TraitMask quantized_traits = 0;     // bit i: it quantizes the modules of Catalog::traits[i]
  bool too_many_patterns = false;     // in the list of what it leaves as it is: nothing is known of modules
  bool has_config = false;            // the architecture was read
  bool in_catalogue = false;          // from the catalogue of well-known models, which leaves rotary embeddings out
  std::string family;                 // of a GGUF file, when nothing else of it was read
  bool in_repository = false;         // a GGUF file named by the id of a repository and a type
  std::vector<std::string> methods;   // what each engine of the catalogue calls its method; empty: no file was read
  std::string assumed;                // "its name says fp8": not read in its files; empty: read
};

[[nodiscard]] ModelFacts read_facts(const Checkpoint& checkpoint);
[[nodiscard]] ModelMarks marks_of(const ModelFacts& facts);
[[nodiscard]] ModelKind kind_of(const Architecture& architecture) noexcept;
// Whether a model is one of these types or, with `others`, is known to be none of them; always where none is listed.
[[nodiscard]] bool is_of_type(std::span<const std::string_view> types, bool others,
                              const std::shared_ptr<const ModelFacts>& facts) noexcept;

}  // namespace quantmap
