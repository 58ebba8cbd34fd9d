#include "memory/sizes.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "quantmap/base/json_io.hpp"
#include "quantmap/base/text.hpp"
#include "quantmap/memory/fit.hpp"

namespace quantmap {

namespace {

constexpr double kGibibyte = 1073741824.0;
constexpr double kMost = 1e15;

std::int64_t whole(double number) { return static_cast<std::int64_t>(std::clamp(number, 0.0, kMost)); }

struct Unit {
  std::string_view name;
  double times;
};
// As the engines' own parsers read them: small letters are decimal, capital ones binary.
constexpr Unit kUnits[] = {
    {"", 1},          {"k", 1e3},       {"m", 1e6},      {"g", 1e9},         {"t", 1e12},        {"K", 1024},
    {"M", 1048576.0}, {"G", kGibibyte}, {"KiB", 1024.0}, {"MiB", 1048576.0}, {"GiB", kGibibyte}, {"KB", 1e3},
    {"MB", 1e6},      {"GB", 1e9},      {"B", 1}};

// A switch: given without a value, or with a word for yes.
bool is_on(const Argument& argument) {
  if (const bool* value = std::get_if<bool>(&argument.value)) return *value;
  const std::string text = lower(to_text(argument.value));
  return text.empty() || text == "true" || text == "1" || (read_amount(text).value_or(0) > 1);
}

class Reader {
 public:
  explicit Reader(const Mapping& mapping) : mapping_(mapping), policy_(mapping.engine->memory) {}

  ReadSizes read() {
    for (const Argument& argument : mapping_.arguments) {
      if (argument.kind != ChannelKind::kFlag) continue;
      if (const MemoryFlag* flag = find(argument.flag)) {
        take(flag->role, argument);
      } else if (argument.from == kNoField && !is_neutral(argument.flag)) {
        out_.not_counted.push_back(argument.flag);
      }
    }
    finish();
    return std::move(out_);
  }

 private:
  const MemoryFlag* by_name(std::string_view name) const {
    const auto found = std::find_if(policy_.flags.begin(), policy_.flags.end(),
                                    [name](const MemoryFlag& flag) { return flag.flag == name; });
    return found == policy_.flags.end() ? nullptr : &*found;
  }

  const MemoryFlag* find(const std::string& name) const {
    if (const MemoryFlag* flag = by_name(name)) return flag;
    const FlagHistory* history = find_history(mapping_.engine->surface, name);
    return history == nullptr ? nullptr : by_name(history->name);
  }

  bool is_neutral(const std::string& name) const {
    const FlagHistory* history = find_history(mapping_.engine->surface, name);
    const std::string_view known = history == nullptr ? std::string_view(name) : history->name;
    return std::find(policy_.neutral.begin(), policy_.neutral.end(), known) != policy_.neutral.end();
  }

  double amount(const Argument& argument) {
    const auto number = read_amount(to_text(argument.value));
    if (!number) out_.wrong.push_back(argument.flag);
    return number.value_or(0);
  }

  void take(MemoryRole role, const Argument& argument) {
    if (take_switch(role, argument) || take_object(role, argument)) return;
    const double number = amount(argument);
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

  bool take_switch(MemoryRole role, const Argument& argument) {
    Sizes& sizes = out_.sizes;
    const bool on = is_on(argument);
    switch (role) {
      case MemoryRole::kEager: sizes.eager = on; return true;
      case MemoryRole::kUnifiedCache: sizes.unified_cache = on; return true;
      case MemoryRole::kPrefixCaching: sizes.prefix_caching = on; return true;
      case MemoryRole::kNoPrefixCaching: sizes.prefix_caching = !on; return true;
      case MemoryRole::kTextOnly: sizes.text_only = on; return true;
      case MemoryRole::kLora: lora_ = on; return true;
      case MemoryRole::kExpert: return true;  // whole experts or a part of each: as many numbers
      case MemoryRole::kDataAttention: data_attention_ = on; return true;
      default: return false;
    }
  }

  bool take_object(MemoryRole role, const Argument& argument) {
    const std::string text = to_text(argument.value);
    if (role == MemoryRole::kStateDtype) {
      out_.sizes.state_dtype = text;
    } else if (role == MemoryRole::kDraftMethod) {
      out_.sizes.drafts = true;
    } else if (role == MemoryRole::kSpeculative) {
      out_.sizes.drafts = true;
      Diagnostics unused;
      const auto object = read_json(text, Path(argument.flag), unused);
      const Value* tokens = object ? object->find("num_speculative_tokens") : nullptr;
      if (tokens != nullptr) out_.sizes.draft_tokens = whole(read_amount(tokens->as_text()).value_or(0));
    } else {
      return false;
    }
    return true;
  }

  void finish() {
    Sizes& sizes = out_.sizes;
    sizes.context = count(MemoryRole::kContext);
    sizes.sequences = count(MemoryRole::kSequences);
    sizes.batched = count(MemoryRole::kBatchedTokens);
    sizes.block = count(MemoryRole::kBlockTokens);
    sizes.cache_tokens = count(MemoryRole::kCacheTokens);
    sizes.cache_blocks = count(MemoryRole::kCacheBlocks);
    sizes.parallel.tensor = count(MemoryRole::kTensor);
    sizes.parallel.pipeline = count(MemoryRole::kPipeline);
    sizes.loras = std::max<std::int64_t>(count(MemoryRole::kLoras), 1);
    if (sizes.draft_tokens == 0) sizes.draft_tokens = count(MemoryRole::kDraftTokens);
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
  std::array<std::int64_t, static_cast<std::size_t>(MemoryRole::kTextOnly) + 1> counts_{};
  bool lora_ = false;
  bool data_attention_ = false;
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
                                         "text-only"};
  return kNames[static_cast<std::size_t>(role)];
}

std::optional<double> read_amount(std::string_view text) {
  text = trim(text);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || !(number >= 0 && number <= kMost)) return std::nullopt;
  const std::string_view rest = trim(text.substr(static_cast<std::size_t>(end - text.data())));
  for (const Unit& unit : kUnits) {
    if (unit.name == rest) return std::min(number * unit.times, kMost);
  }
  return std::nullopt;
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
