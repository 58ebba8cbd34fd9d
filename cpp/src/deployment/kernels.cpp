#include "quantmap/deployment/kernels.hpp"

#include <algorithm>

#include "kernel_parts.hpp"
#include "quantmap/deployment/model_facts.hpp"

namespace quantmap {

using kernel::at_release;
using kernel::evidence_of;
using kernel::experts_reason;
using kernel::experts_refusal;
using kernel::holds;
using kernel::method_reason;
using kernel::method_refusal;
using kernel::own_method_reason;
using kernel::own_method_refusal;
using kernel::release_words;
using kernel::value_of;

namespace {

constexpr std::uint8_t bit(KernelPart part) noexcept {
  return static_cast<std::uint8_t>(1U << static_cast<unsigned>(part));
}

int find_dtype(const KernelTables& tables, std::string_view value) noexcept {
  if (value.empty() || value == tables.unset) return -1;
  for (std::size_t i = 0; i < tables.dtypes.size(); ++i) {
    for (const Dtype& dtype : catalog().dtypes) {
      if (dtype.id != tables.dtypes[i]) continue;
      if (value == dtype.id || holds(dtype.spellings, value)) return static_cast<int>(i);
    }
  }
  return -1;
}

// What a backend's row on some GPUs says to a query.
class RowAnswer {
 public:
  RowAnswer(const KernelTables& tables, const KernelQuery& query, const KernelTakes& row)
      : tables_(tables), query_(query), row_(row) {
    ask_gpu();
    ask_model();
    ask_types();
    ask_head();
    if (lacks_ == 0) ask_exceptions();
  }

  [[nodiscard]] Fits fits() const noexcept {
    if (lacks_ != 0 || together_) return Fits::kNo;
    if (unsure_) return Fits::kUnsure;
    return depends_ ? Fits::kDepends : Fits::kYes;
  }
  [[nodiscard]] std::uint8_t lacks() const noexcept { return lacks_; }
  [[nodiscard]] bool together() const noexcept { return together_; }

 private:
  void lack(KernelPart part) noexcept { lacks_ |= bit(part); }
  [[nodiscard]] bool open(KernelPart part) const noexcept { return (row_.unsure & bit(part)) != 0; }

  void ask_gpu() noexcept {
    if (query_.gpu == 0) {
      depends_ = true;
    } else if (!in_mask(row_.gpus, query_.gpu)) {
      lack(KernelPart::kGpu);
    }
    unsure_ |= open(KernelPart::kGpu);
  }

  void ask_model() noexcept {
    if (query_.model == 0) {
      depends_ = true;
      if (row_.models == 0) unsure_ = true;
    } else if (!in_mask(row_.models, query_.model)) {
      lack(KernelPart::kAttention);
    }
    unsure_ |= open(KernelPart::kAttention);
    if (!query_.sinks.value_or(false)) return;
    if (!row_.sinks) lack(KernelPart::kSinks);
    unsure_ |= open(KernelPart::kSinks);
  }

  void ask_types() noexcept {
    if (query_.dtype >= 0) {
      if (!in_mask(row_.dtypes, static_cast<std::size_t>(query_.dtype))) lack(KernelPart::kDtype);
      unsure_ |= open(KernelPart::kDtype);
    }
    if (holds(row_.kv, query_.kv)) return;
    if (holds(row_.maybe_kv, query_.kv)) {
      unsure_ = true;
    } else {
      lack(KernelPart::kKvCache);
    }
  }

  void ask_head() noexcept {
    const std::int64_t size = query_.head_size;
    const bool asked = size >= tables_.first_head && size <= tables_.last_head && size % tables_.head_step == 0;
    if (row_.heads.empty() || !asked) return;
    const bool taken = std::any_of(row_.heads.begin(), row_.heads.end(), [size](const HeadRun& run) {
      return size >= run.first && size <= run.last && size % run.step == 0;
    });
    if (!taken) lack(KernelPart::kHeadSize);
    unsure_ |= open(KernelPart::kHeadSize);
  }

  void ask_exceptions() noexcept {
    for (const KernelException& exception : row_.refuses) ask_exception(exception);
  }

  [[nodiscard]] bool concerns(const KernelException& exception) const noexcept {
    if (!exception.kv.empty() && !holds(exception.kv, query_.kv)) return false;
    return exception.sinks < 0 || query_.sinks.value_or(false) == (exception.sinks != 0);
  }

  [[nodiscard]] bool is_about_kv_alone(const KernelException& exception) const noexcept {
    return (exception.dtypes & row_.dtypes) == row_.dtypes && exception.heads.empty() && exception.sinks < 0;
  }

  // Of a combination: whether the launch has it, as far as it is known.
  void ask_exception(const KernelException& exception) noexcept {
    if (!concerns(exception)) return;
    const bool any_dtype = (exception.dtypes & row_.dtypes) == row_.dtypes;
    const bool any_head = exception.heads.empty();
    const bool dtype_open = !any_dtype && query_.dtype < 0;
    const bool head_open = !any_head && query_.head_size == 0;
    if (!any_dtype && !dtype_open && !in_mask(exception.dtypes, static_cast<std::size_t>(query_.dtype))) return;
    if (!any_head && !head_open && !holds(exception.heads, query_.head_size)) return;
    if (dtype_open || head_open) {
      depends_ = true;
    } else if (is_about_kv_alone(exception)) {
      lack(KernelPart::kKvCache);  // whatever else is asked
    } else {
      together_ = true;
    }
  }

  const KernelTables& tables_;
  const KernelQuery& query_;
  const KernelTakes& row_;
  std::uint8_t lacks_ = 0;
  bool together_ = false;
  bool unsure_ = false;
  bool depends_ = false;
};

bool is_order_of(const BackendOrder& order, const KernelQuery& query) noexcept {
  return covers(order.since, order.until, query.release) && in_mask(order.gpus, query.gpu) &&
         in_mask(order.models, query.model) && (order.kv.empty() || holds(order.kv, query.kv)) &&
         (order.heads.empty() || query.head_size == 0 || holds(order.heads, query.head_size));
}

// The GPUs on which a backend takes anything, as "sm90, sm100".
std::string gpus_of(const BackendInterval& interval) {
  std::uint16_t mask = 0;
  for (const KernelTakes& row : interval.takes) mask = static_cast<std::uint16_t>(mask | row.gpus);
  return gpu_names(mask);
}

std::optional<KernelRefusal> named_refusal(const Engine& engine, const KernelQuery& query, std::string_view named) {
  const AttentionBackend* backend = find_backend(engine, named);
  if (backend == nullptr) return std::nullopt;
  const auto answer = ask_backend(engine, query, *backend);
  if (!answer || answer->fits == Fits::kYes || answer->fits == Fits::kDepends) return std::nullopt;
  const auto target = static_cast<std::size_t>(engine.kernels.roles.attention);
  KernelRefusal out{target, backend, nullptr, answer->fits == Fits::kUnsure};
  if (!answer->interval->platform.empty()) out.stage = Stage::kRun;  // what it checks is of its own platform
  return out;
}

// A model is known to have no layer that attends: no attention backend is asked.
bool has_no_attention(const Deployment& deployment) noexcept {
  if (deployment.facts == nullptr || !deployment.facts->has_config) return false;
  const auto& layers = deployment.facts->architecture.layers;
  return !layers.empty() &&
         std::none_of(layers.begin(), layers.end(), [](const Layer& layer) { return layer.attends(); });
}

// A query for each size of heads that the model's layers have: a backend that is named serves them all.
std::vector<KernelQuery> by_head_size(const Deployment& deployment, const KernelQuery& query) {
  std::vector<KernelQuery> out;
  const bool several = query.head_size == 0 && deployment.facts != nullptr && deployment.facts->has_config;
  if (several) {
    for (const Layer& layer : deployment.facts->architecture.layers) {
      const bool known = std::any_of(out.begin(), out.end(),
                                     [&layer](const KernelQuery& one) { return one.head_size == layer.key_size; });
      if (!layer.attends() || known) continue;
      out.push_back(query);
      out.back().head_size = layer.key_size;
    }
  }
  if (out.empty()) out.push_back(query);
  return out;
}

}  // namespace

KernelQuery kernel_query(const Engine& engine, const Deployment& deployment, const TargetValues& values) {
  const KernelRoles& roles = engine.kernels.roles;
  KernelQuery out;
  out.release = deployment.release;
  out.gpu = deployment.gpu;
  out.model = deployment.model;
  out.head_size = deployment.head_size;
  if (has_trait(deployment.marks, TraitId::kSinks)) out.sinks = true;
  if (lacks_trait(deployment.marks, TraitId::kSinks)) out.sinks = false;
  const EffectiveValues meant(engine, deployment, values);
  if (roles.dtype >= 0) out.dtype = find_dtype(engine.kernels, meant[static_cast<std::size_t>(roles.dtype)]);
  if (roles.kv >= 0) out.kv = meant[static_cast<std::size_t>(roles.kv)];
  if (out.kv.empty()) out.kv = engine.kernels.unset;
  return out;
}

const AttentionBackend* find_backend(const Engine& engine, std::string_view name) noexcept {
  const auto same = [name](std::string_view other) {
    return std::equal(name.begin(), name.end(), other.begin(), other.end(),
                      [](char a, char b) { return (a | 0x20) == (b | 0x20); });
  };
  for (const AttentionBackend& backend : engine.kernels.backends) {
    if (same(backend.name)) return &backend;
  }
  return nullptr;
}

std::optional<BackendAnswer> ask_backend(const Engine& engine, const KernelQuery& query,
                                         const AttentionBackend& backend) {
  BackendAnswer out;
  out.backend = &backend;
  out.interval = at_release(backend.intervals, query.release);
  if (out.interval == nullptr) return std::nullopt;
  constexpr int kOtherGpu = static_cast<int>(kKernelParts);
  int nearest = 2 * kOtherGpu;  // the row of this GPU that lacks the least tells why
  for (const KernelTakes& row : out.interval->takes) {
    const RowAnswer answer(engine.kernels, query, row);
    int distance = (answer.lacks() & bit(KernelPart::kGpu)) != 0 ? kOtherGpu : 0;
    for (std::size_t i = 0; i < kKernelParts; ++i) distance += in_mask(answer.lacks(), i) ? 1 : 0;
    if (distance < nearest) {
      out.lacks = answer.lacks();
      out.together = answer.together();
      nearest = distance;
    }
    out.fits = std::min(out.fits, answer.fits());
  }
  return out;
}

std::string reason_of(const Engine& engine, const KernelQuery& query, const BackendAnswer& answer) {
  if (answer.fits != Fits::kNo) return {};
  const BackendInterval& interval = *answer.interval;
  if (interval.absent) return release_words(engine, query.release) + " has no code behind this name";
  if (!interval.platform.empty()) return "it is for " + std::string(interval.platform) + " only";
  if (interval.takes.empty()) return "it runs on no NVIDIA GPU";
  const std::string gpu = query.gpu == 0 ? "" : " on " + std::string(catalog().gpu_classes[query.gpu].id);
  if ((answer.lacks & bit(KernelPart::kGpu)) != 0) return "it runs on " + gpus_of(interval) + " only";
  if ((answer.lacks & bit(KernelPart::kAttention)) != 0) {
    return "it is for other attention than this model's (" + std::string(catalog().model_kinds[query.model]) + ")";
  }
  if ((answer.lacks & bit(KernelPart::kSinks)) != 0) return "it takes no attention sinks" + gpu;
  if ((answer.lacks & bit(KernelPart::kDtype)) != 0) {
    return "it takes no " + std::string(engine.kernels.dtypes[static_cast<std::size_t>(query.dtype)]) + " model" + gpu;
  }
  if ((answer.lacks & bit(KernelPart::kHeadSize)) != 0) {
    return "it takes no heads of size " + std::to_string(query.head_size) + gpu;
  }
  const bool plain = query.kv == engine.kernels.unset;
  std::string kv = plain ? "a KV cache of the model's own type" : "the KV cache type " + std::string(query.kv);
  if ((answer.lacks & bit(KernelPart::kKvCache)) == 0) kv += " together with the rest of this launch";
  return "it does not take " + kv + gpu;
}

bool AttentionChoice::none() const noexcept {
  const auto is_for_model = [](const BackendAnswer& answer) {
    return (answer.lacks & bit(KernelPart::kAttention)) == 0;
  };
  const auto refuses = [](const BackendAnswer& answer) { return answer.fits == Fits::kNo; };
  return std::all_of(tried.begin(), tried.end(), refuses) && std::any_of(tried.begin(), tried.end(), is_for_model);
}

std::optional<AttentionChoice> choose_attention(const Engine& engine, const KernelQuery& query) {
  if (query.gpu == 0 || query.model == 0) return std::nullopt;
  const KernelTables& tables = engine.kernels;
  const auto row = std::find_if(tables.orders.begin(), tables.orders.end(),
                                [&query](const BackendOrder& order) { return is_order_of(order, query); });
  if (row == tables.orders.end()) return std::nullopt;
  AttentionChoice out;
  for (const std::uint16_t number : row->order) {
    if (const auto answer = ask_backend(engine, query, tables.backends[number])) out.tried.push_back(*answer);
  }
  const auto first = std::find_if(out.tried.begin(), out.tried.end(),
                                  [](const BackendAnswer& answer) { return answer.fits != Fits::kNo; });
  if (first == out.tried.end()) return out;
  out.taken = static_cast<std::size_t>(first - out.tried.begin());
  out.certain = !row->unsure && (row->heads.empty() || query.head_size != 0) && first->fits == Fits::kYes;
  return out;
}

std::optional<KernelRefusal> refused_by_kernels(const Engine& engine, const Deployment& deployment,
                                                const TargetValues& values, bool apart) {
  const KernelRoles& roles = engine.kernels.roles;
  if (roles.attention < 0 || !deployment.checked) return std::nullopt;
  const KernelQuery query = kernel_query(engine, deployment, values);
  if (auto refusal = own_method_refusal(engine, deployment, query, values)) return refusal;
  if (auto refusal = method_refusal(engine, deployment, query, values)) return refusal;
  if (auto refusal = experts_refusal(engine, deployment, values)) return refusal;
  if (has_no_attention(deployment)) return std::nullopt;
  const EffectiveValues meant(engine, deployment, values, apart);
  if (const std::string_view named = meant[static_cast<std::size_t>(roles.attention)]; !named.empty()) {
    for (const KernelQuery& one : by_head_size(deployment, query)) {
      if (auto refusal = named_refusal(engine, one, named)) return refusal;
    }
    return std::nullopt;
  }
  const auto choice = choose_attention(engine, query);
  if (!choice || !choice->none()) return std::nullopt;
  std::int8_t told = query.dtype >= 0 ? roles.dtype : std::int8_t{-1};
  if (query.kv != engine.kernels.unset) told = roles.kv;
  return KernelRefusal{told < 0 ? kWholeLaunch : static_cast<std::size_t>(told)};
}

KernelReason reason_of(const Engine& engine, const Deployment& deployment, const TargetValues& values,
                       const KernelRefusal& refusal) {
  const KernelQuery query = kernel_query(engine, deployment, values);
  if (refusal.own != nullptr) return own_method_reason(engine, deployment, query, refusal);
  if (refusal.method != nullptr) return method_reason(engine, query, refusal);
  if (refusal.experts != nullptr) return experts_reason(engine, deployment, values, *refusal.experts);
  KernelReason out;
  if (refusal.backend != nullptr) {
    KernelQuery asked = query;
    for (const KernelQuery& one : by_head_size(deployment, query)) {
      if (named_refusal(engine, one, refusal.backend->name)) asked = one;
    }
    const auto answer = ask_backend(engine, asked, *refusal.backend);
    out.text = std::string(refusal.backend->name) + " is not valid here: " +
               (refusal.assumed ? "the sources of " + release_words(engine, query.release) + " do not say that it is"
                                : reason_of(engine, asked, *answer));
    out.evidence = {evidence_of(engine, query.release, answer->interval->at)};
    return out;
  }
  const auto choice = choose_attention(engine, query);
  out.text = "no attention backend takes this";
  std::string separator = " (";
  bool others = false;
  for (const BackendAnswer& answer : choice->tried) {
    if ((answer.lacks & (bit(KernelPart::kGpu) | bit(KernelPart::kAttention))) != 0) {
      others = true;
      continue;
    }
    out.text += separator + std::string(answer.backend->name) + ": " + reason_of(engine, query, answer);
    separator = "; ";
    if (!answer.interval->at.empty()) out.evidence.push_back(evidence_of(engine, query.release, answer.interval->at));
  }
  const auto first = std::find_if(choice->tried.begin(), choice->tried.end(),
                                  [](const BackendAnswer& answer) { return !answer.interval->at.empty(); });
  if (out.evidence.empty() && first != choice->tried.end()) {
    out.evidence.push_back(evidence_of(engine, query.release, first->interval->at));
  }
  if (others) out.text += separator + "the others are for other GPUs or other attention";
  out.text += ")";
  return out;
}

}  // namespace quantmap
