// Every place of an engine: releases, checkpoints and GPUs, and worlds of models as far as its tables tell them apart.
#include <algorithm>
#include <set>

#include "proof.hpp"

namespace quantmap::proof {

Deployment situation_at(const Place& place, bool arguments_only) {
  Deployment out;
  out.checked = true;
  out.release = place.release;
  out.checkpoint = place.kind;
  out.gpu = place.gpu;
  out.model = static_cast<std::size_t>(worlds()[place.world].kind);
  out.marks = worlds()[place.world].marks;
  out.activations = place.activations;
  out.arguments_only = arguments_only;
  return out;
}

ModelQuantization model_at(const Place& place) {
  ModelQuantization out = model_of(place.kind);
  out.kind = worlds()[place.world].kind;
  out.marks = worlds()[place.world].marks;
  return out;
}

ModelQuantization model_of(std::size_t kind) {
  if (kind == 0) return {};
  const auto& names = catalog().checkpoint_kinds[kind].names;
  return {true, names.empty() ? "not-heard-of" : std::string(names.front()), true};
}

const std::vector<World>& worlds() {
  static const std::vector<World> all = [] {
    std::vector<World> out(1);
    const std::size_t traits = catalog().traits.size();
    const TraitMask every = trait_bit(traits) - 1;
    const auto add = [&](ModelKind kind, TraitMask has, std::uint32_t schemes, std::size_t dtype, std::size_t kv) {
      out.push_back(
          {kind, {has, every & ~has, schemes, static_cast<std::uint8_t>(dtype), static_cast<std::uint8_t>(kv)}});
    };
    const auto sinks = static_cast<std::size_t>(TraitId::kSinks);
    for (std::size_t kind = 1; kind < catalog().model_kinds.size(); ++kind) {
      const auto of = static_cast<ModelKind>(kind);
      for (std::size_t dtype = 0; dtype < catalog().model_dtypes.size(); ++dtype) {
        for (std::size_t kv = 0; kv < catalog().kv_dtypes.size(); ++kv) {
          add(of, 0, 1, dtype, kv);
          if (of == ModelKind::kHeads) add(of, trait_bit(sinks), 1, dtype, kv);
        }
      }
      for (std::size_t trait = 0; trait < traits; ++trait) add(of, trait_bit(trait), 1, 0, 0);
      for (std::size_t i = 1; i < catalog().schemes.size(); ++i) add(of, 0, std::uint32_t{1} << i, 0, 0);
    }
    return out;
  }();
  return all;
}

namespace {

// What the tables of an engine look at, of a world: worlds that they do not tell apart are one.
class Eyes {
 public:
  Eyes(const RowSet& set, bool kernels) : kind_(kernels) {
    if (kernels) traits_ = trait_bit(static_cast<std::size_t>(TraitId::kSinks));
    for (const MappingRule& row : set.rows) look(row);
    for (const Constraint& rule : set.rules) look(rule);
    for (const Meaning& meaning : set.meanings) look(meaning);
  }

  std::string see(const World& world) const {
    const ModelMarks& marks = world.marks;
    const auto number = [](bool seen, std::uint64_t value) { return seen ? std::to_string(value) + " " : "- "; };
    return number(kind_, static_cast<std::uint64_t>(world.kind)) + number(true, marks.has & traits_) +
           number(true, marks.lacks & traits_) + number(schemes_, marks.schemes) + number(dtype_, marks.dtype) +
           number(kv_, marks.kv_dtype);
  }

 private:
  template <typename Item>
  void look(const Item& item) {
    kind_ = kind_ || item.models != 0xFF;
    traits_ |= item.has | item.lacks;
    schemes_ = schemes_ || item.schemes != 0xFFFFFFFF;
    dtype_ = dtype_ || item.dtypes != 0xFF;
    kv_ = kv_ || item.kv_dtypes != 0xFF;
  }

  bool kind_;
  bool schemes_ = false;
  bool dtype_ = false;
  bool kv_ = false;
  TraitMask traits_ = 0;
};

// Whether a checkpoint of this kind can be of this world: only a quantized one has schemes and asks for a KV cache.
bool fits(const World& world, std::size_t kind) {
  if (kind == 0) return world.marks.schemes == 1 && world.marks.kv_dtype == 0;
  for (std::size_t i = 1; i < catalog().schemes.size(); ++i) {
    if (in_mask(world.marks.schemes, i) && !in_mask(catalog().schemes[i].kinds, kind)) return false;
  }
  return true;
}

}  // namespace

std::vector<Place> places_of(const Engine& engine, bool facts) {
  std::vector<Place> out;
  const RowSet& set = engine.checked;
  const bool tells = std::any_of(set.rows.begin(), set.rows.end(),
                                 [](const MappingRule& row) { return (row.activations & 3U) != 3U; });
  const Eyes eyes(set, !engine.kernels.orders.empty());
  std::vector<std::vector<std::uint16_t>> seen;  // by checkpoint kind
  for (std::size_t kind = 0; kind < catalog().checkpoint_kinds.size(); ++kind) {
    std::set<std::string> known;
    auto& of_kind = seen.emplace_back();
    for (std::size_t i = 0; i < worlds().size(); ++i) {
      const ModelMarks& marks = worlds()[i].marks;
      if (!facts && i != 0 && (marks.has != 0 || marks.schemes != 1 || marks.dtype != 0 || marks.kv_dtype != 0))
        continue;
      if (!fits(worlds()[i], kind) || !known.insert(eyes.see(worlds()[i])).second) continue;
      of_kind.push_back(static_cast<std::uint16_t>(i));
    }
  }
  for (std::size_t release = 0; release < engine.surface.releases.size(); ++release) {
    for (std::size_t kind = 0; kind < catalog().checkpoint_kinds.size(); ++kind) {
      for (std::size_t gpu = 0; gpu < catalog().gpu_classes.size(); ++gpu) {
        Place place{static_cast<std::uint16_t>(release), static_cast<std::uint8_t>(kind),
                    static_cast<std::uint8_t>(gpu)};
        for (const std::uint16_t world : seen[kind]) {
          place.world = world;
          for (const bool activations : {true, false}) {
            place.activations = activations;
            if (activations || tells) out.push_back(place);
          }
        }
      }
    }
  }
  return out;
}

}  // namespace quantmap::proof
