#include "memory/sizes.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "quantmap/base/json_io.hpp"
#include "quantmap/base/text.hpp"
#include "quantmap/memory/fit.hpp"

namespace quantmap {

namespace {

constexpr double kGibibyte = 1073741824.0;
std::int64_t whole(double number) { return static_cast<std::int64_t>(std::clamp(number, 0.0, kMost)); }

// One thing that a launch says: an argument, or a key of the object that it is.
struct Setting {
  std::string name;   // as the release calls it: "--flag", "--flag.key"
  std::string shown;  // as it was given
  std::string text;
  bool by_user = false;
};

// A switch: given without a value, with a word for yes, or with one of the words that turn it on.
bool is_on(const Setting& setting, const MemoryFlag& flag) {
  const std::string text = lower(setting.text);
  if (!flag.when.empty()) return std::find(flag.when.begin(), flag.when.end(), text) != flag.when.end();
  return text.empty() || text == "true" || text == "1" || (read_amount(text).value_or(0) > 1);
}

// "1 2 4", "1,2,4", "[1, 2, 4]": how many numbers, and the largest.
std::pair<std::int64_t, double> read_list(std::string_view text) {
  std::int64_t count = 0;
  double largest = 0;
  while (!text.empty()) {
    const std::size_t begin = text.find_first_of("0123456789");
    if (begin == text.npos) break;
    text.remove_prefix(begin);
    const std::size_t end = std::min(text.find_first_not_of("0123456789"), text.size());
    largest = std::max(largest, read_amount(text.substr(0, end)).value_or(0));
    ++count;
    text.remove_prefix(end);
  }
  return {count, largest};
}

class Reader {
 public:
  explicit Reader(const Mapping& mapping) : mapping_(mapping), policy_(mapping.engine->memory) {}

  ReadSizes read() {
    for (const Argument& argument : mapping_.arguments) {
      if (argument.kind != ChannelKind::kFlag) continue;
      const std::string text = to_text(argument.value);
      const Setting setting{known_name(argument.flag), argument.flag, text, argument.from == kNoField};
      if (text.starts_with('{')) {
        Diagnostics unused;
        if (const auto object = read_json(text, Path(argument.flag), unused)) {
          take_object(setting, *object);
          continue;
        }
      }
      take(setting);
    }
    finish();
    return std::move(out_);
  }

 private:
  // The release's own name; of "--flag.key" the flag's.
  std::string known_name(const std::string& name) const {
    const std::size_t dot = std::min(name.find('.'), name.size());
    const FlagHistory* history = find_history(mapping_.engine->surface, name.substr(0, dot));
    return history == nullptr ? name : std::string(history->name) + name.substr(dot);
  }

  // Each key of an object, as deep as it goes; of an empty object itself.
  void take_object(const Setting& setting, const Value& value) {
    if (value.is_object() && !value.members().empty()) {
      for (const auto& [key, inner] : value.members()) {
        take_object({setting.name + "." + key, setting.shown + "." + key, {}, setting.by_user}, inner);
      }
      return;
    }
    Setting one = setting;
    if (value.kind() == Value::Kind::kBoolean) {
      one.text = value.as_boolean() ? "true" : "false";
    } else {
      one.text = value.is_array() || value.is_object() ? write_json(value) : value.as_text();
      if (value.kind() == Value::Kind::kReal) one.text = python_float(value.as_real());
    }
    take(one);
  }

  void take(const Setting& setting) {
    bool known = false;
    for (const MemoryFlag& flag : policy_.flags) {
      if (flag.flag != setting.name) continue;
      known = true;
      take(flag, setting);
    }
    if (!known && setting.by_user && !is_neutral(setting.name) && !is_target(setting.name)) {
      out_.not_counted.push_back(setting.shown);
    }
  }

  // Flags that move no memory, with whatever they hold.
  bool is_neutral(std::string_view name) const {
    const std::string_view flag = name.substr(0, name.find('.'));
    return std::any_of(policy_.neutral.begin(), policy_.neutral.end(),
                       [&](std::string_view known) { return known == name || known == flag; });
  }

  // What precision comes of it is judged with the mapping.
  bool is_target(std::string_view name) const {
    const auto& checked = mapping_.engine->checked;
    return std::any_of(checked.precision.begin(), checked.precision.end(), [&](const Precision& row) {
      return !is_about_kernel(row) && std::any_of(row.terms.begin(), row.terms.end(), [&](const RuleTerm& term) {
        return is_route(checked.targets[term.target], name);
      });
    });
  }

  static bool is_route(const Target& target, std::string_view name) {
    const std::string_view flag = name.substr(0, name.find('.'));
    return std::any_of(target.routes.begin(), target.routes.end(),
                       [&](const Channel& route) { return route.name == flag && (route.at.empty() || flag != name); });
  }

  void take(const MemoryFlag& flag, const Setting& setting) {
    if (take_switch(flag, setting) || take_words(flag.role, setting)) return;
    const auto number = read_amount(setting.text);
    if (!number) out_.wrong.push_back(setting.shown);
    take_number(flag.role, number.value_or(0));
  }

  void take_number(MemoryRole role, double number) {
    Sizes& sizes = out_.sizes;
    if (role == MemoryRole::kFraction && number > 0 && number <= 1) sizes.fraction = number;
    if (role == MemoryRole::kCacheBytes) sizes.cache_bytes = number;
    if (role == MemoryRole::kOffloadGib) sizes.offload = number * kGibibyte;
    if (role == MemoryRole::kSlidingShare) sizes.sliding_share = number;
    if (role == MemoryRole::kStateShare) sizes.state_share = number;
    counts_[static_cast<std::size_t>(role)] = whole(number);
  }

  // What is said of a role that is a count; 0: nothing.
  [[nodiscard]] std::int64_t count(MemoryRole role) const { return counts_[static_cast<std::size_t>(role)]; }

  // The same, else what the release takes by itself.
  [[nodiscard]] std::int64_t count_or_usual(MemoryRole role) const {
    if (count(role) > 0) return count(role);
    const auto known = find_flag(mapping_.engine->surface, flag_of(mapping_, role), mapping_.deployment.release);
    return known ? whole(read_amount(known->interval->fallback).value_or(0)) : 0;
  }

  bool take_switch(const MemoryFlag& flag, const Setting& setting) {
    struct Switch {
      MemoryRole role;
      bool Sizes::* member;
    };
    static constexpr Switch kSwitches[] = {{MemoryRole::kEager, &Sizes::eager},
                                           {MemoryRole::kUnifiedCache, &Sizes::unified_cache},
                                           {MemoryRole::kTextOnly, &Sizes::text_only},
                                           {MemoryRole::kSkipMedia, &Sizes::skip_media},
                                           {MemoryRole::kDraftHead, &Sizes::draft_head},
                                           {MemoryRole::kDraftOutput, &Sizes::draft_output},
                                           {MemoryRole::kVisionWhole, &Sizes::vision_whole},
                                           {MemoryRole::kByteCache, &Sizes::byte_cache}};
    const bool on = is_on(setting, flag);
    for (const Switch& row : kSwitches) {
      if (row.role != flag.role) continue;
      if (on || flag.when.empty()) out_.sizes.*row.member = on;
      return true;
    }
    return take_other_switch(flag.role, on);
  }

  bool take_other_switch(MemoryRole role, bool on) {
    Sizes& sizes = out_.sizes;
    switch (role) {
      case MemoryRole::kPrefixCaching: sizes.prefix_caching = on; return true;
      case MemoryRole::kPrefillGraphs:
        if (on) sizes.prefill_graphs = true;
        return true;
      case MemoryRole::kNoPrefillGraphs:
        if (on) sizes.prefill_graphs = false;
        return true;
      case MemoryRole::kNoPrefixCaching: sizes.prefix_caching = !on; return true;
      case MemoryRole::kLora: lora_ = on; return true;
      case MemoryRole::kExpert: return true;  // whole experts or a part of each: as many numbers
      case MemoryRole::kDataAttention: data_attention_ = on; return true;
      case MemoryRole::kWholeAttention: sizes.parallel.attention = on ? 1 : 0; return true;
      case MemoryRole::kNoDraft: no_draft_ = no_draft_ || on; return true;
      default: return false;
    }
  }

  bool take_words(MemoryRole role, const Setting& setting) {
    Sizes& sizes = out_.sizes;
    switch (role) {
      case MemoryRole::kStateDtype: sizes.state_dtype = setting.text; return true;
      case MemoryRole::kExpertKernel: sizes.expert_kernel = lower(setting.text); return true;
      case MemoryRole::kWindows: sizes.windows = read_list(setting.text).first > 1; return true;
      case MemoryRole::kDraftMethod:
      case MemoryRole::kSpeculative: sizes.drafts = true; return true;
      case MemoryRole::kDraftModel:
        sizes.drafts = true;
        sizes.draft_model = setting.text;
        return true;
      case MemoryRole::kGraphSizes: {
        const auto [graphs, largest] = read_list(setting.text);
        sizes.graphs = graphs;
        sizes.graph_limit = whole(largest);
        return true;
      }
      case MemoryRole::kSettings: out_.not_counted.push_back(setting.shown); return true;  // its content was not read
      default: return false;
    }
  }

  void finish() {
    Sizes& sizes = out_.sizes;
    sizes.context = count(MemoryRole::kContext);
    sizes.sequences = count(MemoryRole::kSequences);
    sizes.batched = count(MemoryRole::kBatchedTokens);
    sizes.block = count(MemoryRole::kBlockTokens);
    sizes.cache_tokens = count(MemoryRole::kCacheTokens);
    sizes.cache_blocks = count(MemoryRole::kCacheBlocks);
    sizes.extra_experts = count(MemoryRole::kExtraExperts);
    sizes.states = count(MemoryRole::kStates);
    if (sizes.graph_limit == 0) sizes.graph_limit = count(MemoryRole::kGraphLimit);
    sizes.parallel.tensor = count(MemoryRole::kTensor);
    sizes.parallel.pipeline = count(MemoryRole::kPipeline);
    sizes.loras = std::max<std::int64_t>(lora_ ? count_or_usual(MemoryRole::kLoras) : 0, 1);
    sizes.draft_tokens = count(MemoryRole::kDraftTokens);
    sizes.drafts = (sizes.drafts || sizes.draft_tokens > 0) && !no_draft_;
    sizes.cache_ranks = std::max<std::int64_t>(count(MemoryRole::kContextParallel), 1) *
                        std::max<std::int64_t>(count(MemoryRole::kPrefillParallel), 1);
    if (lora_) sizes.lora_rank = count(MemoryRole::kLoraRank) > 0 ? count(MemoryRole::kLoraRank) : kUsualRank;
    if (count(MemoryRole::kData) > 1) spread(sizes.parallel, std::min<std::int64_t>(count(MemoryRole::kData), 1 << 20));
  }

  // Several copies of the attention share the experts; or copies of the whole engine, which change nothing here.
  void spread(Parallel& parallel, std::int64_t copies) const {
    const std::int64_t tensor = std::clamp<std::int64_t>(parallel.tensor, 1, 1 << 20);
    if (data_attention_) {
      parallel.attention = std::max<std::int64_t>(tensor / copies, 1);
    } else if (policy_.holds == FractionHolds::kAll) {
      parallel.experts = tensor * copies;
    }
  }

  static constexpr std::int64_t kUsualRank = 16;
  const Mapping& mapping_;
  const MemoryPolicy& policy_;
  ReadSizes out_;
  std::array<std::int64_t, kMemoryRoles> counts_{};
  bool lora_ = false;
  bool data_attention_ = false;
  bool no_draft_ = false;
};

}  // namespace

std::string_view name_of(MemoryRole role) noexcept {
  constexpr std::string_view kNames[] = {"fraction",
                                         "context",
                                         "sequences",
                                         "batched-tokens",
                                         "cache-bytes",
                                         "cache-tokens",
                                         "cache-blocks",
                                         "block-tokens",
                                         "tensor",
                                         "pipeline",
                                         "data",
                                         "data-attention",
                                         "expert",
                                         "context-parallel",
                                         "prefill-parallel",
                                         "eager",
                                         "offload-gib",
                                         "lora",
                                         "lora-rank",
                                         "loras",
                                         "speculative",
                                         "draft-tokens",
                                         "draft-method",
                                         "unified-cache",
                                         "prefix-caching",
                                         "no-prefix-caching",
                                         "sliding-share",
                                         "state-share",
                                         "state-dtype",
                                         "text-only",
                                         "skip-media",
                                         "vision-whole",
                                         "graph-limit",
                                         "graph-sizes",
                                         "extra-experts",
                                         "states",
                                         "draft-model",
                                         "no-draft",
                                         "draft-head",
                                         "draft-output",
                                         "expert-kernel",
                                         "windows",
                                         "prefill-graphs",
                                         "no-prefill-graphs",
                                         "byte-cache",
                                         "whole-attention",
                                         "settings"};
  return kNames[static_cast<std::size_t>(role)];
}

ReadSizes read_sizes(const Mapping& mapping) { return Reader(mapping).read(); }

std::string_view flag_of(const Mapping& mapping, MemoryRole role) {
  for (const MemoryFlag& flag : mapping.engine->memory.flags) {
    if (flag.role != role) continue;
    if (find_flag(mapping.engine->surface, flag.flag, mapping.deployment.release)) return flag.flag;
  }
  return {};
}

}  // namespace quantmap
