#include "model/kept_modules.hpp"

#include <algorithm>
#include <optional>

#include "base/letters.hpp"

namespace quantmap {

namespace {

// Each pattern is held against every module of every layer. No checkpoint that is known has a tenth of this.
constexpr std::size_t kMostPatternText = 16'384;
constexpr std::string_view kRegex = "re:";
constexpr std::string_view kLayers = "layers.";

// "*self_attn*" as a regular expression.
std::string of_stars(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '*') {
      out += ".*";
    } else {
      if (c == '.' || c == '[' || c == ']' || c == '(' || c == ')' || c == '+' || c == '?') out += '\\';
      out += c;
    }
  }
  // What is named means everything below it.
  return out + "(\\..*)?$";
}

std::optional<Pattern> pattern_of(std::string_view text) {
  PatternError error;
  if (text.starts_with(kRegex)) return Pattern::compile(text.substr(kRegex.size()), error);
  return Pattern::compile(of_stars(text), error);
}

// The module's name as files have it, with and without the model in front.
bool matches_any(const Pattern& pattern, const std::string& name) {
  return pattern.matches("model." + name) || pattern.matches(name) || pattern.matches("model.language_model." + name);
}

std::string full_name(std::size_t layer, std::string_view name) {
  return std::string(kLayers) + std::to_string(layer) + "." + std::string(name);
}

bool has_part(std::string_view name, std::string_view part) {
  for (std::size_t at = name.find(part); at != name.npos; at = name.find(part, at + 1)) {
    const std::size_t end = at + part.size();
    if ((at == 0 || name[at - 1] == '.') && (end == name.size() || name[end] == '.' || name[end] == '_')) return true;
  }
  return false;
}

// A module by its whole name, or behind "layers." by that of each layer.
bool is_meant(const std::vector<std::string>& targets, std::string_view module) {
  const bool layered = module.starts_with(kLayers);
  return targets_module(targets, 0, layered ? module.substr(kLayers.size()) : module);
}

// What families call the modules whose inputs are divided among GPUs.
struct PartName {
  ModelPart part;
  std::string_view name;
};
constexpr PartName kPartNames[] = {
    {ModelPart::kAttention, "self_attn.o_proj"},
    {ModelPart::kMlp, "mlp.down_proj"},
    {ModelPart::kExperts, "mlp.experts.0.down_proj"},
    {ModelPart::kExperts, "block_sparse_moe.experts.0.w2"},
    {ModelPart::kExperts, "feed_forward.experts.0.down_proj"},
    {ModelPart::kExperts, "mixer.experts.0.down_proj"},
    {ModelPart::kSharedExperts, "mlp.shared_experts.down_proj"},
    {ModelPart::kSharedExperts, "mlp.shared_expert.down_proj"},
    {ModelPart::kSharedExperts, "share_expert.down_proj"},
    {ModelPart::kSharedExperts, "feed_forward.shared_expert.down_proj"},
    {ModelPart::kSharedExperts, "mixer.shared_experts.down_proj"},
    {ModelPart::kState, "mamba.in_proj"},
    {ModelPart::kState, "mixer.in_proj"},
};

bool holds_part(const Layer& layer, ModelPart part) {
  if (part == ModelPart::kAttention) return layer.attends();
  if (part == ModelPart::kState) return layer.kind == LayerKind::kLinear;
  return part == ModelPart::kMlp ? !layer.experts || layer.intermediate > 0 : layer.experts;
}

}  // namespace

KeptModules::KeptModules(const std::vector<std::string>& names) {
  std::size_t room = kMostPatternText;
  for (const std::string& name : names) {
    if (name.starts_with(kRegex) || name.find('*') != name.npos) {
      cut_ = cut_ || name.size() > room;
      if (cut_) continue;
      room -= name.size();
      const bool numbered = std::any_of(name.begin(), name.end(), is_digit) || name.find("\\d") != name.npos;
      if (auto pattern = pattern_of(name)) patterns_.push_back({std::move(*pattern), numbered});
      numbered_ = numbered_ || numbered;
      continue;
    }
    const std::size_t at = name.find(kLayers);
    const std::size_t number = at == name.npos ? name.npos : at + kLayers.size();
    if (number < name.size() && is_digit(name[number])) {
      whole_.insert(name.substr(at, name.find_last_not_of('.') + 1 - at));
    } else if (!name.empty()) {
      words_.push_back(name);
    }
  }
}

bool KeptModules::keeps_by_name(const std::string& layer, std::string_view name) const {
  if (whole_.empty()) return false;
  if (whole_.count(layer) > 0) return true;
  for (std::size_t dot = name.find('.'); dot != name.npos; dot = name.find('.', dot + 1)) {
    if (whole_.count(layer + "." + std::string(name.substr(0, dot))) > 0) return true;
  }
  return whole_.count(layer + "." + std::string(name)) > 0;
}

bool KeptModules::matches(std::size_t layer, std::string_view name, bool numbered) const {
  const std::string full = full_name(layer, name);
  return std::any_of(patterns_.begin(), patterns_.end(),
                     [&](const Named& item) { return item.numbered == numbered && matches_any(item.pattern, full); });
}

bool KeptModules::keeps_everywhere(std::string_view name) const {
  return cut_ ||
         std::any_of(words_.begin(), words_.end(), [&](const std::string& word) { return has_part(name, word); }) ||
         (!patterns_.empty() && matches(0, name, false));
}

bool KeptModules::keeps_here(std::size_t layer, std::string_view name) const {
  if (!whole_.empty() && keeps_by_name(std::string(kLayers) + std::to_string(layer), name)) return true;
  return numbered_ && matches(layer, name, true);
}

bool KeptModules::names(std::string_view module, std::size_t layers) const {
  if (module.starts_with(kLayers)) {
    const std::string_view name = module.substr(kLayers.size());
    bool here = keeps_everywhere(name);
    for (std::size_t layer = 0; !here && layer < layers; ++layer) here = keeps_here(layer, name);
    return here;
  }
  const std::string full = "model." + std::string(module);
  return std::any_of(words_.begin(), words_.end(), [&](const std::string& word) { return has_part(full, word); }) ||
         std::any_of(patterns_.begin(), patterns_.end(),
                     [&](const Named& item) { return matches_any(item.pattern, std::string(module)); });
}

TraitMask quantized_traits(const Quantization& quantization, const KeptModules& kept, const Architecture& model) {
  TraitMask out = 0;
  for (std::size_t i = 0; i < catalog().traits.size(); ++i) {
    const auto modules = catalog().traits[i].quantized;
    const bool left = std::any_of(modules.begin(), modules.end(),
                                  [&](std::string_view module) { return kept.names(module, model.layers.size()); });
    const bool meant = std::any_of(modules.begin(), modules.end(), [&](std::string_view module) {
      return std::any_of(quantization.schemes.begin(), quantization.schemes.end(),
                         [&](const Scheme& scheme) { return is_meant(scheme.targets, module); });
    });
    if (meant && !left) out |= trait_bit(i);
  }
  return out;
}

bool targets_module(const std::vector<std::string>& targets, std::size_t layer, std::string_view name) {
  if (targets.empty()) return true;
  return std::any_of(targets.begin(), targets.end(), [&](const std::string& target) {
    // A class of modules, such as every linear layer.
    if (target.find('.') == target.npos && target.find(':') == target.npos && target.find('*') == target.npos &&
        !target.empty() && is_upper(target.front())) {
      return true;
    }
    if (target.starts_with(kRegex) || target.find('*') != target.npos) {
      const auto pattern = pattern_of(target);
      return pattern && matches_any(*pattern, full_name(layer, name));
    }
    return has_part(full_name(layer, name), target);
  });
}

std::uint8_t parts_of(const Scheme& scheme, const KeptModules& kept, const Architecture& model) {
  std::uint8_t left = 0;
  std::uint8_t targeted = 0;
  for (const PartName& name : kPartNames) {
    std::vector<std::size_t> layers;
    for (std::size_t i = 0; i < model.layers.size(); ++i) {
      if (holds_part(model.layers[i], name.part)) layers.push_back(i);
    }
    if (layers.empty()) continue;
    const auto bit = static_cast<std::uint8_t>(1U << static_cast<unsigned>(name.part));
    const auto keeps = [&](std::size_t layer) { return kept.keeps_here(layer, name.name); };
    if (kept.keeps_everywhere(name.name) || std::all_of(layers.begin(), layers.end(), keeps)) left |= bit;
    for (const std::size_t layer : {layers.front(), layers.back()}) {  // targets seldom tell layers apart
      if (targets_module(scheme.targets, layer, name.name)) targeted |= bit;
    }
  }
  return static_cast<std::uint8_t>(targeted & ~left);
}

}  // namespace quantmap
