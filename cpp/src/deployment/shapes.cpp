#include "quantmap/deployment/shapes.hpp"

#include <algorithm>
#include <charconv>

#include "model/context_lengths.hpp"
#include "model/kept_modules.hpp"
#include "quantmap/base/json_io.hpp"
#include "quantmap/base/text.hpp"
#include "quantmap/catalog/codes.hpp"
#include "quantmap/release/amount.hpp"

namespace quantmap {

namespace {

constexpr std::int64_t kMostShown = 64;
constexpr std::int64_t kMostGpus = std::int64_t{1} << 30;  // two of them multiply

// Tokens; 0 where nothing is asked, or the engine is to find out (`auto`, -1).
std::int64_t context_in(const TargetValues& values, int target) {
  if (target < 0 || values[static_cast<std::size_t>(target)].empty()) return 0;
  return static_cast<std::int64_t>(read_amount(values[static_cast<std::size_t>(target)]).value_or(0));
}

std::int64_t size_in(const TargetValues& values, int target) {
  if (target < 0) return 1;
  const std::string& text = values[static_cast<std::size_t>(target)];
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end != text.data() + text.size()) return 1;
  if (error == std::errc::result_out_of_range) return text.front() == '-' ? 1 : kMostGpus;
  return error == std::errc() && number > 0 ? std::min(number, kMostGpus) : 1;
}

bool is_on(const TargetValues& values, int target) {
  if (target < 0) return false;
  const std::string text = lower(values[static_cast<std::size_t>(target)]);
  return !text.empty() && text != "false" && text != "0";
}

// Heads of the layers that attend, the fewest: those must divide.
template <typename Number>
std::int64_t fewest(const Architecture& model, Number number) {
  std::int64_t out = 0;
  for (const Layer& layer : model.layers) {
    if (!layer.attends()) continue;
    const std::int64_t found = number(layer);
    if (found > 0) out = out == 0 ? found : std::min(out, found);
  }
  return out;
}

// The numbers of heads that layers which attend have: each is divided.
std::vector<std::int64_t> head_counts(const Architecture& model) {
  std::vector<std::int64_t> out;
  for (const Layer& layer : model.layers) {
    if (!layer.attends()) continue;
    if (std::find(out.begin(), out.end(), layer.heads) == out.end()) out.push_back(layer.heads);
  }
  return out;
}

std::int64_t dense_mlp(const Architecture& model) {
  const auto dense =
      std::find_if(model.layers.begin(), model.layers.end(), [](const Layer& layer) { return layer.intermediate > 0; });
  return dense == model.layers.end() ? 0 : dense->intermediate;
}

// The columns of the projection into a state; 0: there is none, or several.
std::int64_t state_width(const Architecture& model) {
  const RecurrentShape& state = model.parts.recurrent;
  return state.whole ? static_cast<std::int64_t>(state.in) : 0;
}

// Sizes of what mixes tokens: heads, what is as wide as they are, the projection into a state. Latent attention has
// neither queries nor keys by head.
std::int64_t mixer_size(const Architecture& model, ShapeSize size) {
  if (size == ShapeSize::kStateWidth) return state_width(model);
  if (size == ShapeSize::kHeads) return fewest(model, [](const Layer& layer) { return layer.heads; });
  if (size == ShapeSize::kOutputWidth) {
    return fewest(model, [](const Layer& layer) { return layer.heads * layer.value_size; });
  }
  if (model.is_mla()) return 0;
  if (size == ShapeSize::kKvHeads) return fewest(model, [](const Layer& layer) { return layer.kv_heads; });
  if (size == ShapeSize::kKvWidth) {
    return fewest(model, [](const Layer& layer) { return layer.kv_heads * layer.key_size; });
  }
  return fewest(model, [](const Layer& layer) { return layer.heads * layer.key_size; });
}

std::int64_t length_of(const ContextLengths& lengths, ShapeSize size) {
  if (size == ShapeSize::kStatedLength) return lengths.stated;
  if (size == ShapeSize::kFirstLength) return lengths.first;
  return size == ShapeSize::kYarnLength ? lengths.yarn : lengths.scaled;
}

std::int64_t size_of(const Architecture& model, ShapeSize size) {
  if (size >= ShapeSize::kStatedLength) return length_of(model.lengths, size);
  switch (size) {
    case ShapeSize::kMlp: return dense_mlp(model);
    case ShapeSize::kExpertMlp: return model.is_moe() ? model.experts.intermediate : 0;
    case ShapeSize::kSharedMlp: return model.is_moe() ? model.experts.shared_intermediate : 0;
    case ShapeSize::kExperts: return model.experts.routed;
    case ShapeSize::kLayers: return static_cast<std::int64_t>(model.layers.size());
    case ShapeSize::kHidden: return model.hidden;
    case ShapeSize::kStateHeads: return model.parts.recurrent.heads;
    default: return mixer_size(model, size);
  }
}

std::string_view name_of(ShapeSize size) {
  constexpr std::string_view kNames[] = {"attention heads",
                                         "KV heads",
                                         "query columns",
                                         "key columns",
                                         "attention rows",
                                         "MLP columns",
                                         "columns of an expert",
                                         "columns of the shared experts",
                                         "experts",
                                         "layers",
                                         "hidden columns",
                                         "columns into the state",
                                         "heads of linear attention"};
  return kNames[static_cast<std::size_t>(size)];
}

std::int64_t over_of(const ParallelSizes& sizes, ShapeOver over) {
  const std::int64_t by[] = {sizes.tp, sizes.pp, sizes.ep, sizes.expert_tp, 1, sizes.context};
  return by[static_cast<std::size_t>(over)];
}

// The sizes of a shape: one, but where layers differ in their heads.
std::vector<std::int64_t> sizes_of(const Architecture& model, ShapeSize size) {
  return size == ShapeSize::kHeads ? head_counts(model) : std::vector<std::int64_t>{size_of(model, size)};
}

// Bit i: the weights of ModelPart i have this size.
std::uint8_t parts_with(ShapeSize size) {
  const auto only = [](ModelPart part) { return static_cast<std::uint8_t>(1U << static_cast<unsigned>(part)); };
  switch (size) {
    case ShapeSize::kMlp: return only(ModelPart::kMlp);
    case ShapeSize::kExpertMlp: return only(ModelPart::kExperts);
    case ShapeSize::kSharedMlp: return only(ModelPart::kSharedExperts);
    case ShapeSize::kStateWidth: return only(ModelPart::kState);
    case ShapeSize::kHidden:
    case ShapeSize::kStateHeads: return 0xFF;
    default: return only(ModelPart::kAttention);
  }
}

// What a share has to be a multiple of: 0 when the checkpoint says nothing of it, or leaves these weights as they are.
std::int64_t unit_of(const Shape& shape, const ModelFacts& facts) {
  if (shape.unit == ShapeUnit::kOne) return 1;
  if (shape.unit == ShapeUnit::kNumber && !shape.terms.empty()) return shape.number;  // quantized while it loads
  const auto& schemes = facts.quantization.schemes;
  const std::uint8_t parts = parts_with(shape.size);
  for (std::size_t i = 0; i < schemes.size(); ++i) {
    const bool quantizes = i >= facts.parts.size() || (facts.parts[i] & parts) != 0;
    if (!quantizes || !in_mask(shape.schemes, facts.schemes[i])) continue;
    if (shape.unit == ShapeUnit::kNumber) return shape.number;
    if (shape.unit == ShapeUnit::kGroup) return std::max<std::int64_t>(schemes[i].group_size, 0);
    return schemes[i].block[shape.unit == ShapeUnit::kBlockOut ? 0 : 1];
  }
  return 0;
}

// A KV head is never divided: with more GPUs than heads each keeps one.
std::int64_t share_of(const Shape& shape, const Architecture& model, std::int64_t size, std::int64_t over) {
  if (shape.size != ShapeSize::kKvHeads && shape.size != ShapeSize::kKvWidth) return size % over == 0 ? size / over : 0;
  const std::int64_t heads = size_of(model, ShapeSize::kKvHeads);
  if (heads <= 0) return 0;
  if (heads >= over) return heads % over == 0 ? size / over : 0;
  return over % heads == 0 ? size / heads : 0;
}

// Stages take neighbouring layers, as even as they divide.
bool goes(const Shape& shape, std::int64_t size, std::int64_t over, std::int64_t share, std::int64_t unit) {
  if (shape.over == ShapeOver::kPp) return over <= size;
  return share != 0 && share % unit == 0;
}

std::string describe(const Shape& shape, std::int64_t size, std::int64_t over, std::int64_t share, std::int64_t unit) {
  if (shape.over == ShapeOver::kContext) {
    return "a context of " + std::to_string(over) + " tokens is longer than the model's " + std::to_string(size);
  }
  std::string out = std::to_string(size) + " " + std::string(name_of(shape.size));
  if (shape.over == ShapeOver::kPp) return out + " for " + std::to_string(over) + " stages";
  if (over > 1) out += over < kMostGpus ? " over " + std::to_string(over) + " GPUs" : " over so many GPUs";
  if (share == 0) return out + " do not divide evenly";
  if (over > 1) out += " are " + std::to_string(share);
  return out + (over > 1 ? ", no multiple of " : " are no multiple of ") + std::to_string(unit);
}

// How long a context the model lets be, with what the launch lays over its config; nothing when that cannot be told.
std::optional<ContextLengths> lengths_of(const Engine& engine, const ModelFacts& facts, const TargetValues& values) {
  const ContextLengths& own = facts.architecture.lengths;
  const int overrides = engine.checked.parallel.overrides;
  if (overrides < 0 || values[static_cast<std::size_t>(overrides)].empty()) return own;
  if (!facts.architecture.text_at.empty()) return std::nullopt;  // they may not reach the part that is asked about
  Diagnostics unread;
  const auto laid = read_json(values[static_cast<std::size_t>(overrides)], Path("$"), unread);
  return laid ? laid_over(own, *laid) : std::nullopt;
}

// A context that is longer than the model lets be.
std::string context_problem(const Shape& shape, const std::optional<ContextLengths>& lengths, std::int64_t asked) {
  const std::int64_t longest = lengths ? length_of(*lengths, shape.size) : 0;
  return longest > 0 && asked > longest ? describe(shape, longest, asked, 0, 1) : std::string();
}

// Why this size does not go over so many GPUs; empty: it does, or nothing is known of it.
std::string problem_of(const Shape& shape, const ModelFacts& facts, std::int64_t over) {
  const Architecture& model = facts.architecture;
  const std::int64_t unit = unit_of(shape, facts);
  if (unit <= 0 || (shape.divided && over == 1)) return {};
  for (const std::int64_t size : sizes_of(model, shape.size)) {
    const std::int64_t share = share_of(shape, model, size, over);
    if (size > 0 && !goes(shape, size, over, share, unit)) return describe(shape, size, over, share, unit);
  }
  return {};
}

}  // namespace

std::vector<int> targets_of(const Engine& engine, const Shape& shape) {
  const ParallelTargets& targets = engine.checked.parallel;
  std::vector<int> out{targets.tp};
  if (shape.over == ShapeOver::kNone) out = {};
  if (shape.over == ShapeOver::kExpertTp) out = {targets.tp, targets.ep, targets.dp};
  if (shape.over == ShapeOver::kPp) out = {targets.pp};
  if (shape.over == ShapeOver::kEp) out = {targets.ep, targets.tp, targets.dp};
  if (shape.over == ShapeOver::kContext) out = {targets.context};
  std::erase(out, -1);
  return out;
}

ParallelSizes parallel_sizes(const Engine& engine, const TargetValues& values) {
  const ParallelTargets& targets = engine.checked.parallel;
  ParallelSizes out;
  out.tp = size_in(values, targets.tp);
  out.pp = size_in(values, targets.pp);
  out.context = context_in(values, targets.context);
  const std::int64_t all = std::min(out.tp * size_in(values, targets.dp), kMostGpus);
  out.expert_tp = all;
  const bool spread = std::any_of(targets.spread.begin(), targets.spread.end(), [&values](const RuleTerm& term) {
    return std::find(term.values.begin(), term.values.end(), values[term.target]) != term.values.end();
  });
  if (spread || (targets.ep_is_switch && is_on(values, targets.ep))) {
    out.ep = all;
    out.expert_tp = 1;
  } else if (!targets.ep_is_switch) {
    out.ep = size_in(values, targets.ep);
    out.expert_tp = std::max<std::int64_t>(all / out.ep, 1);
  }
  return out;
}

std::vector<ShapeProblem> shape_problems(const Engine& engine, const Deployment& deployment,
                                         const TargetValues& values) {
  std::vector<ShapeProblem> out;
  if (deployment.facts == nullptr || !deployment.facts->has_config) return out;
  const ParallelSizes sizes = parallel_sizes(engine, values);
  const EffectiveValues meant(engine, deployment, values);
  for (const Shape& shape : engine.checked.shapes) {
    if (!covers(shape.since, shape.until, deployment.release) || !is_about(shape, deployment)) continue;
    if (over_of(sizes, shape.over) == 0) continue;  // nothing is asked
    if (!terms_hold(shape.terms, meant)) continue;
    std::string reason = shape.over == ShapeOver::kContext
                             ? context_problem(shape, lengths_of(engine, *deployment.facts, values), sizes.context)
                             : problem_of(shape, *deployment.facts, over_of(sizes, shape.over));
    // A catalogue's model may be stretched by its rotary embedding, of which nothing is known there.
    const bool assumed = shape.assumed || (shape.over == ShapeOver::kContext && deployment.facts->in_catalogue);
    if (!reason.empty()) out.push_back({&shape, std::move(reason), assumed});
  }
  return out;
}

std::int64_t longest_context(const Engine& engine, const Deployment& deployment) {
  std::int64_t out = 0;
  if (deployment.facts == nullptr) return out;
  for (const Shape& shape : engine.checked.shapes) {
    if (shape.over != ShapeOver::kContext || !covers(shape.since, shape.until, deployment.release)) continue;
    if (is_about(shape, deployment)) out = length_of(deployment.facts->architecture.lengths, shape.size);
  }
  return out;
}

std::vector<std::int64_t> sizes_that_go(const Engine& engine, const Deployment& deployment,
                                        const TargetValues& values) {
  std::vector<std::int64_t> out;
  if (engine.checked.parallel.tp < 0 || deployment.facts == nullptr) return out;
  const std::int64_t heads = size_of(deployment.facts->architecture, ShapeSize::kHeads);
  TargetValues changed = values;
  if (const int context = engine.checked.parallel.context; context >= 0) {
    changed[static_cast<std::size_t>(context)].clear();
  }
  for (std::int64_t tp = 1; tp <= kMostShown; ++tp) {
    const bool usual = (tp & (tp - 1)) == 0 || (heads > 0 && heads % tp == 0);
    changed[static_cast<std::size_t>(engine.checked.parallel.tp)] = std::to_string(tp);
    if (usual && shape_problems(engine, deployment, changed).empty()) out.push_back(tp);
  }
  return out;
}

namespace {

// The length that goes, and the variable that lets it be longer.
std::string length_hint(const Engine& engine, const Shape& shape, const ContextLengths& lengths) {
  const auto& targets = engine.checked.targets;
  const auto name = [&targets](std::size_t target) { return std::string(targets[target].routes.front().name); };
  std::string out = "use " + name(static_cast<std::size_t>(engine.checked.parallel.context)) + " " +
                    std::to_string(length_of(lengths, shape.size)) + " or less";
  for (const RuleTerm& term : shape.terms) {
    if (targets[term.target].routes.front().kind == ChannelKind::kEnv) out += ", or set " + name(term.target) + "=1";
  }
  return out;
}

std::string parallel_hint(const Engine& engine, const Deployment& deployment, const TargetValues& values) {
  const auto list = [](const std::vector<std::int64_t>& sizes) {
    std::string out;
    for (const std::int64_t size : sizes) out += (out.empty() ? "" : ", ") + std::to_string(size);
    return out;
  };
  std::string out;
  if (const auto sizes = sizes_that_go(engine, deployment, values); !sizes.empty()) {
    out = "use tensor parallelism of " + list(sizes);
  }
  const ParallelTargets& targets = engine.checked.parallel;
  const bool spread = targets.ep >= 0 && parallel_sizes(engine, values).ep == 1 && deployment.facts != nullptr &&
                      deployment.facts->architecture.is_moe();
  if (!spread) return out;
  TargetValues changed = values;
  const std::string tp = std::to_string(parallel_sizes(engine, values).tp);
  changed[static_cast<std::size_t>(targets.ep)] = targets.ep_is_switch ? "true" : tp;
  if (!shape_problems(engine, deployment, changed).empty()) return out;
  const std::string flag(engine.checked.targets[static_cast<std::size_t>(targets.ep)].routes.front().name);
  return out + (out.empty() ? "add " : ", or add ") + flag + (targets.ep_is_switch ? "" : " " + tp);
}

}  // namespace

std::string sizes_hint(const Engine& engine, const Deployment& deployment, const TargetValues& values,
                       const Shape& shape) {
  if (shape.over != ShapeOver::kContext) return parallel_hint(engine, deployment, values);
  const ModelFacts& facts = *deployment.facts;
  return length_hint(engine, shape, lengths_of(engine, facts, values).value_or(facts.architecture.lengths));
}

void report_size(const Engine& engine, const Deployment& deployment, const ShapeProblem& problem,
                 const std::string& hint, Diagnostics& out) {
  Context context{{"engine", std::string(engine.name)},
                  {"version", std::string(engine.surface.releases[deployment.release].version)},
                  {"reason", problem.reason},
                  {"hint", hint}};
  if (problem.shape->stage != Stage::kRun) return out.add_once(Code::kSizeDoesNotGo, "$", std::move(context));
  context.emplace_back("with", "with such sizes");
  out.add_once(Code::kFailsLater, "checkpoint", std::move(context));
}

}  // namespace quantmap
