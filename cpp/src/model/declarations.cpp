#include "model/declarations.hpp"
#include "quantmap/config/checkpoint_kind.hpp"

#include <algorithm>
#include <array>

#include "base/letters.hpp"
#include "model/config_reader.hpp"
#include "model/section.hpp"
#include "quantmap/base/text.hpp"

namespace quantmap {

namespace {

constexpr std::size_t kMostExcluded = 100'000;
constexpr std::size_t kMostGroups = 64;

// "128x128" of a pair of numbers.
std::string pair_text(const std::array<std::int64_t, 2>& pair) {
  return pair[0] > 0 && pair[1] > 0 ? std::to_string(pair[0]) + "x" + std::to_string(pair[1]) : std::string();
}

// Two positive numbers, as a list or as "128x128"; else zeros.
std::array<std::int64_t, 2> read_pair(const ConfigReader& config, Keys keys) {
  const std::vector<std::int64_t> list = config.list_if(keys);
  if (list.size() == 2 && list[0] > 0 && list[1] > 0) return {list[0], list[1]};
  const std::string text = config.text_if(keys);
  const std::size_t mark = text.find('x');
  if (mark == std::string::npos || mark == 0 || mark > 5 || text.size() - mark > 6) return {};
  std::array<std::int64_t, 2> out{};
  std::size_t part = 0;
  for (const char c : text) {
    if (c == 'x' && part == 0) {
      part = 1;
    } else if (is_digit(c)) {
      out[part] = out[part] * 10 + (c - '0');
    } else {
      return {};
    }
  }
  if (out[0] == 0 || out[1] == 0) return {};
  return out;
}

// "fp8_e4m3" → 8 bits, float; "uint4" → 4 bits, int; "mxfp4" keeps its name.
void read_dtype(std::string_view name, double& bits, std::string& type) {
  const std::size_t digit = name.find_first_of("0123456789");
  if (digit == std::string_view::npos || digit == 0) return;
  const std::string_view word = name.substr(0, digit);
  bits = name[digit] - '0';
  if (name[digit] == '1' && name.substr(digit, 2) == "16") bits = 16;
  type = word == "fp" || word == "float" ? "float" : word == "int" || word == "uint" ? "int" : lower(head(name, 20));
}

// A number of bits; what no weight can have counts as not said.
double bits_of(std::int64_t number) { return number <= 64 ? static_cast<double>(number) : 0; }

// One side of a group of compressed-tensors: weights or activations.
struct Side {
  bool present = false;
  double bits = 0;
  std::string type;
  std::string strategy;
  std::int64_t group = 0;
  std::array<std::int64_t, 2> block{};
  std::optional<bool> symmetric;
  std::optional<bool> dynamic;
  bool ordered = false;
};

Side read_side(const ConfigReader& config, const Value* value) {
  Side out;
  if (value == nullptr || !value->is_object()) return out;
  const ConfigReader side = config.inside(*value);
  out.present = true;
  out.bits = bits_of(side.number({"num_bits", "bits"}));
  out.type = lower(side.text({"type"}));
  out.strategy = lower(side.text({"strategy"}));
  out.block = read_pair(side, {"block_structure"});
  out.symmetric = side.flag({"symmetric"});
  const std::string order = lower(side.text_if({"actorder"}));
  out.ordered = order == "group" || order == "dynamic";
  out.dynamic = side.text_if({"dynamic"}).empty() ? side.flag({"dynamic"}) : std::optional<bool>(true);
  const Value* group = side.find({"group_size"});
  const bool whole = group != nullptr && group->as_text().starts_with('-');
  out.group = whole ? -1 : side.number({"group_size"});
  if (const std::string dtype = lower(side.text({"dtype"})); !dtype.empty()) read_dtype(dtype, out.bits, out.type);
  if (out.strategy.empty() && out.group > 0) out.strategy = "group";
  return out;
}

class ClaimReader {
 public:
  ClaimReader(const Value& object, const Path& path, Diagnostics& warnings, Declaration& claim)
      : config_(object, path, warnings), claim_(claim), out_(claim.quantization) {}

  void read() {
    facts();
    groups();
    if (out_.schemes.empty()) simple();
    kv_cache();
    excluded();
  }

 private:
  void facts() {
    std::string method = lower(trim(config_.text({"quant_method"})));
    std::string producer = lower(config_.text_if({"producer.name"}));
    const std::string algorithm = config_.text_if({"quant_algo", "quantization.quant_algo", "quant_type",
                                                   "quant_type.default._type", "quantization.quant_method"});
    const DetectionTables& tables = catalog().detection;
    for (const FactPair& pair : tables.implied) {
      if (method.empty() && pair.fact == tables.sources[static_cast<std::size_t>(claim_.source)]) method = pair.value;
    }
    for (const FactPair& pair : tables.producers) {
      if (method.empty() && pair.fact == producer) method = pair.value;
    }
    claim_.add("method", std::string(head(method, 60)));
    claim_.add("algorithm", std::string(head(algorithm, 60)));
    claim_.add("format", config_.text_if({"format", "checkpoint_format", "packing_format"}));
    claim_.add("producer", std::move(producer));
    if (config_.flag({"load_in_8bit", "_load_in_8bit"}).value_or(false)) claim_.add("load_in_8bit", "true");
    out_.method = claim_.fact("method");
    out_.algorithm = algorithm.empty() ? claim_.fact("format") : claim_.fact("algorithm");
    layer_algorithms();
  }

  // Mixed precision: each layer has its own algorithm.
  void layer_algorithms() {
    if (const std::string name = config_.text_if({"moe_quant_algo"}); !name.empty())
      claim_.add("layer_algorithm", name);
    const Value* layers = config_.find({"quantized_layers", "quantization.quantized_layers"});
    if (layers == nullptr || !layers->is_object()) return;
    for (const auto& [layer, value] : layers->members()) {
      const Value* name = value.find("quant_algo");
      if (name == nullptr || !name->is_text()) continue;
      const auto same = [&](const auto& fact) {
        return fact.first == "layer_algorithm" && fact.second == name->as_text();
      };
      if (std::any_of(claim_.facts.begin(), claim_.facts.end(), same)) continue;
      if (claim_.facts.size() < kMostGroups) claim_.add("layer_algorithm", std::string(head(name->as_text(), 60)));
    }
  }

  // config_groups of compressed-tensors and ModelOpt, or Quark's global config and those of layers.
  void groups() {
    const Value* groups = config_.find({"config_groups"});
    if (groups != nullptr && groups->is_object()) {
      for (const auto& [name, group] : groups->members()) {
        if (!group.is_object() || out_.schemes.size() >= kMostGroups) continue;
        add_scheme(config_.inside(group), group.find("weights"), group.find("input_activations"));
      }
      return;
    }
    const Value* global = config_.find({"global_quant_config"});
    if (global != nullptr && global->is_object()) {
      add_scheme(config_.inside(*global), global->find("weight"), global->find("input_tensors"));
    }
  }

  void add_scheme(const ConfigReader& group, const Value* weights, const Value* activations) {
    const Side w = read_side(group, weights);
    const Side a = read_side(group, activations);
    if (!w.present) return;
    Scheme scheme;
    scheme.weight_bits = w.bits;
    scheme.weight_type = w.type;
    scheme.group_size = w.strategy == "channel" ? -1 : w.group;
    scheme.block = w.block;
    scheme.symmetric = w.symmetric;
    scheme.ordered = w.ordered;
    scheme.activation_bits = a.present && a.bits > 0 ? a.bits : 16;
    scheme.activation_type = a.present ? a.type : std::string();
    scheme.dynamic = a.dynamic;
    const Value* targets = group.find({"targets"});
    for (std::size_t i = 0; targets != nullptr && i < std::min<std::size_t>(targets->items().size(), 1000); ++i) {
      const Value& target = targets->items()[i];
      // "Linear" is every linear layer.
      if (target.is_text() && target.as_text() != "Linear") scheme.targets.emplace_back(head(target.as_text(), 200));
    }
    if (out_.schemes.empty()) {
      claim_.add("strategy", w.strategy);
      claim_.add("activation_strategy", a.strategy);
      add_numbers(scheme);
    }
    out_.schemes.push_back(std::move(scheme));
  }

  void add_numbers(const Scheme& scheme) {
    if (scheme.weight_bits > 0) claim_.add("weight_bits", std::to_string(static_cast<int>(scheme.weight_bits)));
    claim_.add("weight_type", scheme.weight_type);
    claim_.add("block", pair_text(scheme.block));
  }

  // One scheme for all, in the keys of each library.
  void simple() {
    Scheme scheme;
    const Value* group = config_.find({"group_size", "q_group_size"});
    scheme.weight_bits = bits_of(config_.number(
        {"bits", "w_bit", "weight_bits", "num_bits", "nbits", "quant_config.weight_quant_params.nbits"}));
    scheme.group_size =
        group != nullptr && group->as_text().starts_with('-')
            ? -1
            : config_.number({"group_size", "q_group_size", "quantization.group_size",
                              "quant_config.weight_quant_params.group_size", "quant_type.default._data.group_size"});
    scheme.symmetric = config_.flag({"sym", "symmetric"});
    scheme.ordered = scheme.group_size > 0 && config_.flag({"desc_act"}).value_or(false);
    if (const auto zero = config_.flag({"zero_point"}); zero && !scheme.symmetric) scheme.symmetric = !*zero;
    scheme.block = read_pair(config_, {"weight_block_size"});
    if (const std::string four = lower(config_.text_if({"bnb_4bit_quant_type"})); !four.empty())
      scheme.weight_type = four;
    const std::string activations = lower(config_.text_if({"activation_scheme"}));
    if (!activations.empty()) scheme.dynamic = activations == "dynamic";
    add_numbers(scheme);
    out_.schemes.push_back(std::move(scheme));
  }

  void kv_cache() {
    const Value* scheme = config_.find({"kv_cache_scheme", "kv_cache_quant_algo", "quantization.kv_cache_quant_algo"});
    if (scheme == nullptr) return;
    if (scheme->is_text()) out_.kv_dtype = lower(trim(head(scheme->as_text(), 60)));
    if (!scheme->is_object()) return;
    const Side side = read_side(config_, scheme);
    if (side.bits < 1 || side.type.empty()) return;  // it says nothing that could be named
    const int bits = static_cast<int>(side.bits);
    const std::string family = side.type != "float" ? side.type : bits == 4 ? "nvfp" : "fp";
    out_.kv_dtype = family + std::to_string(bits);
  }

  void excluded() {
    const Value* list =
        config_.find({"modules_to_not_convert", "ignore", "exclude_modules", "quantization.exclude_modules",
                      "ignored_layers", "exclude", "llm_int8_skip_modules", "skip_modules"});
    if (list == nullptr || !list->is_array()) return;
    for (const Value& item : list->items()) {
      if (item.is_text() && out_.excluded.size() < kMostExcluded) out_.excluded.emplace_back(head(item.as_text(), 300));
    }
  }

  ConfigReader config_;
  Declaration& claim_;
  Quantization& out_;
};

std::string_view filled(const FormatRow& row, std::string_view fact) {
  for (const FactPair& pair : row.fill) {
    if (pair.fact == fact) return pair.value;
  }
  return {};
}

double number(std::string_view digits) {
  double out = 0;
  for (const char c : digits) out = out * 10 + (c - '0');
  return out;
}

// "W4A16 int, groups of 128"
std::string describe(const Scheme& scheme) {
  if (scheme.weight_bits <= 0) return {};
  std::string out = "W" + std::to_string(static_cast<int>(scheme.weight_bits)) + "A" +
                    std::to_string(static_cast<int>(scheme.activation_bits));
  if (!scheme.weight_type.empty()) out += " " + scheme.weight_type;
  if (const std::string block = pair_text(scheme.block); !block.empty()) return out + ", blocks of " + block;
  if (scheme.group_size > 0) return out + ", groups of " + std::to_string(scheme.group_size);
  return scheme.group_size < 0 ? out + ", per channel" : out;
}

// The format that a declaration is of: the first row that holds, or null.
const FormatRow* format_of(const Declaration& claim) {
  const auto& formats = catalog().detection.formats;
  const auto found =
      std::find_if(formats.begin(), formats.end(), [&claim](const FormatRow& row) { return holds(row.when, claim); });
  return found == formats.end() ? nullptr : &*found;
}

// Layers of other bits than the format's may stand beside its own.
bool has_bits_of(const FormatRow& row, const Scheme& scheme) {
  return scheme.weight_bits == number(filled(row, "weight_bits"));
}

// What the format says of the weights, where the file says nothing or less.
void fill_weights(Scheme& scheme, const FormatRow& row) {
  if (scheme.weight_bits == 0) scheme.weight_bits = number(filled(row, "weight_bits"));
  // "float" is what config_groups call every kind of float.
  const bool vague = scheme.weight_type == "float" && has_bits_of(row, scheme) && !filled(row, "weight_type").empty();
  if (scheme.weight_type.empty() || vague) scheme.weight_type = filled(row, "weight_type");
  if (vague && scheme.activation_type == "float") scheme.activation_type = filled(row, "activation_type");
}

void fill_groups(Scheme& scheme, const FormatRow& row) {
  if (!has_bits_of(row, scheme)) return;
  if (scheme.group_size == 0) scheme.group_size = static_cast<std::int64_t>(number(filled(row, "group_size")));
  const std::string_view block = filled(row, "block");
  const std::size_t mark = block.find('x');
  if (scheme.block[0] != 0 || mark == block.npos) return;
  scheme.block = {static_cast<std::int64_t>(number(block.substr(0, mark))),
                  static_cast<std::int64_t>(number(block.substr(mark + 1)))};
}

void fill_activations(Scheme& scheme, const FormatRow& row) {
  if (!scheme.activation_type.empty() || filled(row, "activation_bits").empty()) return;
  scheme.activation_bits = number(filled(row, "activation_bits"));
  scheme.activation_type = filled(row, "activation_type");
}

// What the format means beyond what the file says.
void complete(Declaration& claim) {
  Quantization& out = claim.quantization;
  const FormatRow* row = format_of(claim);
  const bool has_kind = row != nullptr && row->kind >= 0;
  out.kind = has_kind ? static_cast<std::size_t>(row->kind) : find_checkpoint_kind(out.method);
  for (Scheme& scheme : out.schemes) {
    if (row != nullptr) {
      fill_weights(scheme, *row);
      fill_groups(scheme, *row);
      if (out.schemes.size() == 1) fill_activations(scheme, *row);
    }
    scheme.name = describe(scheme);
  }
  std::erase_if(out.schemes, [](const Scheme& scheme) { return scheme.weight_bits <= 0; });
}

}  // namespace

bool holds(std::span<const FactTerm> when, const Declaration& claim) {
  return std::all_of(when.begin(), when.end(), [&claim](const FactTerm& term) {
    return std::any_of(claim.facts.begin(), claim.facts.end(), [&term](const auto& fact) {
      if (fact.first != term.fact) return false;
      return term.values.empty() || std::find(term.values.begin(), term.values.end(), fact.second) != term.values.end();
    });
  });
}

std::string_view Declaration::fact(std::string_view name) const {
  for (const auto& [key, value] : facts) {
    if (key == name) return value;
  }
  return {};
}

void Declaration::add(std::string_view name, std::string value) {
  if (!value.empty()) facts.emplace_back(name, std::move(value));
}

Declaration read_claim(const Value& object, Source source, std::string place, const Path& path, Diagnostics& warnings) {
  Declaration claim;
  claim.source = source;
  claim.place = std::move(place);
  claim.add("from", std::string(catalog().detection.sources[static_cast<std::size_t>(source)]));
  ClaimReader(object, path, warnings, claim).read();
  claim.quantization.source = claim.place;
  claim.quantization.section = read_section(object);
  complete(claim);
  return claim;
}

Declaration bare_claim(Source source, std::string place, std::string method) {
  const DetectionTables& tables = catalog().detection;
  Declaration claim;
  claim.source = source;
  claim.place = std::move(place);
  const std::string_view from = tables.sources[static_cast<std::size_t>(source)];
  claim.add("from", std::string(from));
  for (const FactPair& pair : tables.implied) {
    if (method.empty() && pair.fact == from) method = pair.value;
  }
  claim.quantization.method = method;
  claim.quantization.source = claim.place;
  claim.add("method", std::move(method));
  claim.quantization.schemes.emplace_back();
  complete(claim);
  return claim;
}

}  // namespace quantmap
