#include "model/context_lengths.hpp"

#include <algorithm>
#include <string_view>

#include "quantmap/base/text.hpp"

namespace quantmap {

namespace {

// Rotary embeddings of models that were trained at the length that their config names.
constexpr std::string_view kTrainedLonger[] = {"su", "longrope", "llama3"};
constexpr std::string_view kYarn[] = {"yarn", "deepseek_yarn", "deepseek_llama_scaling"};

constexpr std::string_view kStretches[] = {"rope_scaling", "rope_parameters"};

template <std::size_t N>
bool is_one_of(std::string_view name, const std::string_view (&names)[N]) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

// By how much the embedding is stretched beyond the length that is named, and YaRN's own length.
struct Stretch {
  double factor = 1;
  double yarn = 0;
};

void read_stretch(const ConfigReader& rope, Stretch& out) {
  const std::string type = rope.text_if({"rope_type", "type"});
  const double factor = rope.real({"factor"}).value_or(0);
  if (!(factor > 0) || is_one_of(type, kTrainedLonger)) return;
  const std::int64_t original = rope.number_if({"original_max_position_embeddings"});
  if (is_one_of(type, kYarn) && original > 0) {
    out.yarn = static_cast<double>(original) * factor;
    return;
  }
  out.factor = factor;
}

Stretch stretch_of(const ConfigReader& config) {
  Stretch out;
  for (const std::string_view key : kStretches) {
    const Value* rope = config.find({key});
    if (rope == nullptr || !rope->is_object()) continue;
    read_stretch(config.inside(*rope), out);
    for (const auto& [kind, inner] : rope->members()) {  // one for each kind of layer
      if (inner.is_object()) read_stretch(config.inside(inner), out);
    }
  }
  return out;
}

std::int64_t shortest_named(const ConfigReader& config) {
  std::int64_t out = 0;
  for (const std::string_view key : {"max_position_embeddings", "n_positions", "max_seq_len", "seq_length",
                                     "max_target_positions", "max_sequence_length", "max_seq_length", "seq_len"}) {
    const std::int64_t named = config.number_if({key});
    if (named > 0) out = out == 0 ? named : std::min(out, named);
  }
  return out;
}

std::int64_t times(std::int64_t length, double factor) {
  const double most = static_cast<double>(kLargestNumber);
  return static_cast<std::int64_t>(std::min(static_cast<double>(length) * factor, most));
}

// Whether an object says how the embedding is stretched; nothing when it takes away what was there, or is none.
std::optional<bool> is_stretched_by(const Value& overrides) {
  if (!overrides.is_object()) return std::nullopt;
  bool stretched = false;
  for (const std::string_view key : kStretches) {
    const Value* stretch = overrides.find(key);
    if (stretch != nullptr && !stretch->is_object()) return std::nullopt;
    stretched = stretched || stretch != nullptr;
  }
  return stretched;
}

}  // namespace

ContextLengths read_context_lengths(const ConfigReader& config) {
  ContextLengths out;
  const std::int64_t whole = config.number_if({"model_max_length"});  // is taken whatever else is named
  out.stated = whole > 0 ? whole : shortest_named(config);
  if (out.stated == 0) return out;
  const Stretch stretch = stretch_of(config);
  out.scaled = times(out.stated, stretch.factor);
  out.first = times(config.number_if({"max_sequence_length", "seq_length", "max_seq_len", "model_max_length",
                                      "max_position_embeddings", "n_positions"}),
                    stretch.factor);
  out.yarn = stretch.yarn > 0 ? std::max(times(1, stretch.yarn), whole) : out.scaled;
  return out;
}

std::optional<ContextLengths> laid_over(const ContextLengths& lengths, const Value& overrides) {
  const std::optional<bool> stretched = is_stretched_by(overrides);
  if (!stretched || lengths.stated <= 0) return std::nullopt;
  Diagnostics unused;
  const Path path("$");
  const ConfigReader reader(overrides, path, unused);
  const std::int64_t whole = reader.number_if({"model_max_length"});
  const std::int64_t named = whole > 0 ? whole : shortest_named(reader);
  if (named == 0 && !*stretched) return lengths;
  // Of a config that names several lengths, or is stretched already, too little is kept.
  if (!(lengths == ContextLengths{lengths.stated, lengths.stated, lengths.stated, lengths.stated})) return std::nullopt;
  ContextLengths out;
  out.stated = named > 0 ? named : lengths.stated;
  const Stretch stretch = stretch_of(reader);
  out.scaled = out.first = times(out.stated, stretch.factor);
  out.yarn = stretch.yarn > 0 ? times(1, stretch.yarn) : out.scaled;
  return out;
}

}  // namespace quantmap
