#include "quantmap/deployment/model_facts.hpp"

#include <algorithm>

#include "model/kept_modules.hpp"

namespace quantmap {

namespace {

bool holds(const SchemeKind& kind, const Scheme& scheme, std::size_t checkpoint) {
  const auto within = [](double low, double number, double high) { return low <= number && number <= high; };
  return ((kind.kinds >> checkpoint) & 1U) != 0 &&
         within(kind.least_weight_bits, scheme.weight_bits, kind.most_weight_bits) &&
         within(kind.least_activation_bits, scheme.activation_bits, kind.most_activation_bits) &&
         (kind.weight_types.empty() || kind.weight_types.contains(scheme.weight_type)) &&
         (kind.activation_types.empty() || kind.activation_types.contains(scheme.activation_type)) &&
         (!kind.blocks || scheme.block[0] > 0);
}

std::uint8_t scheme_of(const Scheme& scheme, std::size_t checkpoint) {
  const auto& kinds = catalog().schemes;
  for (std::size_t i = 1; i + 1 < kinds.size(); ++i) {  // the first is for nothing known
    if (holds(kinds[i], scheme, checkpoint)) return static_cast<std::uint8_t>(i);
  }
  return static_cast<std::uint8_t>(kinds.size() - 1);
}

std::uint8_t place_in(std::span<const std::string_view> list, std::string_view word, std::size_t otherwise) {
  const auto found = std::find(list.begin(), list.end(), word);
  return static_cast<std::uint8_t>(found == list.end() ? otherwise : static_cast<std::size_t>(found - list.begin()));
}

void mark(ModelMarks& marks, std::size_t trait, bool has) {
  const TraitMask bit = trait_bit(trait);
  marks.has = has ? marks.has | bit : marks.has & ~bit;
  marks.lacks = has ? marks.lacks & ~bit : marks.lacks | bit;
}

// Sets the trait that is a matter of the checkpoint, not of the model's shape.
void set_trait(ModelMarks& marks, TraitNumber number, bool has) {
  for (std::size_t i = 0; i < catalog().traits.size(); ++i) {
    if (catalog().traits[i].number == number) mark(marks, i, has);
  }
}

// Sets those that the section of quantization says.
void set_section_traits(ModelMarks& marks, std::uint64_t section) {
  for (std::size_t i = 0; i < catalog().traits.size(); ++i) {
    const int fact = catalog().traits[i].section;
    if (fact >= 0) mark(marks, i, ((section >> fact) & 1U) != 0);
  }
}

// Sets those that are about modules which the checkpoint quantizes; nothing is known where it lists none that it does
// not.
void set_module_traits(ModelMarks& marks, const ModelFacts& facts) {
  const bool known = !facts.quantization.excluded.empty() && facts.assumed.empty() && !facts.too_many_patterns;
  for (std::size_t i = 0; i < catalog().traits.size(); ++i) {
    if (catalog().traits[i].quantized.empty()) continue;
    if (known) {
      mark(marks, i, (facts.quantized_traits & trait_bit(i)) != 0);
    } else {
      marks.lacks &= ~trait_bit(i);
    }
  }
}

}  // namespace

ModelFacts read_facts(const Checkpoint& checkpoint) {
  ModelFacts out;
  out.quantization = checkpoint.quantization;
  out.family = checkpoint.family;
  out.in_repository = checkpoint.in_repository;
  out.in_catalogue = checkpoint.evidence == Evidence::kCatalog;
  for (const Scheme& scheme : checkpoint.quantization.schemes) {
    out.schemes.push_back(scheme_of(scheme, checkpoint.quantization.kind));
  }
  if (!checkpoint.detections.empty()) out.methods.resize(catalog().engines.size());
  for (const Detection& found : checkpoint.detections) {
    const auto number = static_cast<std::size_t>(found.engine - catalog().engines.data());
    out.methods[number] = found.refused ? checkpoint.quantization.method : found.method;
    // A section in config.json counts for an engine that looks there first, whatever else was believed here.
    const std::string_view section = catalog().detection.sources[static_cast<std::size_t>(Source::kQuantizationConfig)];
    if (found.source.ends_with(section)) out.quantization.source = found.source;
  }
  if (checkpoint.architecture) {
    out.architecture = *checkpoint.architecture;
    out.has_config = true;
    const KeptModules kept(checkpoint.quantization.excluded);
    out.too_many_patterns = kept.cut();
    for (const Scheme& scheme : checkpoint.quantization.schemes) {
      out.parts.push_back(parts_of(scheme, kept, out.architecture));
    }
    out.quantized_traits = quantized_traits(checkpoint.quantization, kept, out.architecture);
  }
  return out;
}

ModelMarks marks_of(const ModelFacts& facts) {
  ModelMarks out;
  if (facts.has_config) {
    const TraitMask all = trait_bit(catalog().traits.size()) - 1;
    out.has = facts.architecture.traits;
    out.lacks = all & ~out.has;
    out.dtype = place_in(catalog().model_dtypes, facts.architecture.dtype, 0);
  }
  if (facts.quantization.quantized()) {
    const auto& schemes = facts.quantization.schemes;
    set_trait(out, TraitNumber::kSectionInConfig,
              facts.quantization.source.ends_with(
                  catalog().detection.sources[static_cast<std::size_t>(Source::kQuantizationConfig)]));
    set_section_traits(out, facts.quantization.section);
    set_module_traits(out, facts);
    set_trait(out, TraitNumber::kFileInRepository, facts.in_repository);
    set_trait(out, TraitNumber::kOrderedGroups,
              std::any_of(schemes.begin(), schemes.end(), [](const Scheme& scheme) { return scheme.ordered; }));
    set_trait(out, TraitNumber::kAsymmetricGroups,
              std::any_of(schemes.begin(), schemes.end(),
                          [](const Scheme& scheme) { return !scheme.symmetric.value_or(true); }));
  }
  if (!facts.schemes.empty()) out.schemes = 0;
  for (const std::uint8_t scheme : facts.schemes) out.schemes |= std::uint32_t{1} << scheme;
  const std::string& kv = facts.quantization.kv_dtype;
  if (!kv.empty()) out.kv_dtype = place_in(catalog().kv_dtypes, kv, catalog().kv_dtypes.size() - 1);
  return out;
}

ModelKind kind_of(const Architecture& architecture) noexcept {
  if (!architecture.is_mla()) return ModelKind::kHeads;
  return architecture.mla.index_size > 0 ? ModelKind::kSparseMla : ModelKind::kMla;
}

bool is_of_type(std::span<const std::string_view> types, bool others,
                const std::shared_ptr<const ModelFacts>& facts) noexcept {
  if (types.empty()) return true;
  if (facts == nullptr || (!facts->has_config && facts->family.empty())) return false;
  const Architecture& model = facts->architecture;
  const bool listed = std::any_of(types.begin(), types.end(), [&](std::string_view type) {
    return type == model.model_type || type == model.text_type || type == facts->family ||
           std::find(model.classes.begin(), model.classes.end(), type) != model.classes.end();
  });
  return listed != others;
}

}  // namespace quantmap
