// Kernels in the proof: what must hold, told from the tables alone, and which places their answers tell apart.
#include <algorithm>

#include "proof.hpp"
#include "quantmap/base/text.hpp"
#include "quantmap/deployment/kernels.hpp"

namespace quantmap::proof {

namespace {

bool inside(std::uint16_t since, std::uint16_t until, std::uint16_t release) {
  return release >= since && release < until;
}

bool has_bit(std::uint32_t mask, unsigned bit) { return (mask & (std::uint32_t{1} << bit)) != 0; }

unsigned kind_at(const Place& place) { return static_cast<unsigned>(worlds()[place.world].kind); }

// Whether some row of the kernel tables takes this, told plainly: what is not known is passed over.
bool kernels_take(const BackendInterval& backend, const KernelTables& tables, const Place& place, const std::string& kv,
                  const std::string& dtype) {
  return std::any_of(backend.takes.begin(), backend.takes.end(), [&](const KernelTakes& row) {
    bool takes = std::find(row.kv.begin(), row.kv.end(), kv) != row.kv.end() ||
                 std::find(row.maybe_kv.begin(), row.maybe_kv.end(), kv) != row.maybe_kv.end();
    if (place.gpu != 0) takes &= has_bit(row.gpus, place.gpu);
    if (kind_at(place) != 0) takes &= has_bit(row.models, kind_at(place));
    const bool sinks = has_trait(worlds()[place.world].marks, TraitId::kSinks);
    if (sinks) takes &= row.sinks;
    for (unsigned i = 0; i < tables.dtypes.size(); ++i) {
      if (tables.dtypes[i] == dtype) takes &= has_bit(row.dtypes, i);
    }
    for (const KernelException& refused : row.refuses) {
      const bool of_kv = refused.kv.empty() || std::find(refused.kv.begin(), refused.kv.end(), kv) != refused.kv.end();
      const bool of_sinks = refused.sinks < 0 || sinks == (refused.sinks != 0);
      if (of_kv && refused.heads.empty() && of_sinks && (refused.dtypes & row.dtypes) == row.dtypes) takes = false;
    }
    return takes;
  });
}

// Whether a backend has a row for the model's attention, whatever else.
bool is_for(const AttentionBackend& backend, const Place& place) {
  return std::any_of(backend.intervals.begin(), backend.intervals.end(), [&](const BackendInterval& interval) {
    return inside(interval.since, interval.until, place.release) &&
           std::any_of(interval.takes.begin(), interval.takes.end(),
                       [&](const KernelTakes& row) { return has_bit(row.models, kind_at(place)); });
  });
}

// Every text that a target can be set to, and nothing.
std::vector<std::string> texts_of(std::int8_t target, const std::vector<std::string>& pairs) {
  std::vector<std::string> out{""};
  if (target < 0) return out;
  const std::string start = std::to_string(target) + " ";
  for (const std::string& pair : pairs) {
    if (pair.rfind(start, 0) == 0) out.push_back(pair.substr(start.size()));
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

void check_kernels(const Engine& engine, const Place& place, const TargetValues& given, std::vector<Problem>& out) {
  const KernelTables& tables = engine.kernels;
  if (tables.roles.attention < 0) return;
  TargetValues values;
  for (std::size_t t = 0; t < given.size(); ++t) values.emplace_back(meant(engine, place, given, t));
  const auto value = [&values](std::int8_t role) { return values[static_cast<std::size_t>(role)]; };
  const std::string named = lower(value(tables.roles.attention));
  const std::string kv = value(tables.roles.kv).empty() ? std::string(tables.unset) : value(tables.roles.kv);
  const auto refuses = [&](const AttentionBackend& backend) {
    for (const BackendInterval& interval : backend.intervals) {
      if (!inside(interval.since, interval.until, place.release)) continue;
      return !kernels_take(interval, tables, place, kv, value(tables.roles.dtype));
    }
    return false;
  };
  for (const AttentionBackend& backend : tables.backends) {
    if (lower(backend.name) == named && refuses(backend)) {
      out.push_back({"the backend " + std::string(backend.name) + " does not take this launch", kv});
    }
  }
  if (!named.empty() || place.gpu == 0 || kind_at(place) == 0) return;
  for (const BackendOrder& order : tables.orders) {
    if (!inside(order.since, order.until, place.release)) continue;
    if (!has_bit(order.gpus, place.gpu) || !has_bit(order.models, kind_at(place))) continue;
    if (!order.kv.empty() && std::find(order.kv.begin(), order.kv.end(), kv) == order.kv.end()) continue;
    const bool none = std::all_of(order.order.begin(), order.order.end(),
                                  [&](std::uint16_t number) { return refuses(tables.backends[number]); });
    const bool known = std::any_of(order.order.begin(), order.order.end(),
                                   [&](std::uint16_t number) { return is_for(tables.backends[number], place); });
    if (none && known) out.push_back({"no attention backend takes this launch", kv});
    return;  // the size of heads is not known: the first order is asked
  }
}

int KernelNumbers::at(const Place& place, const std::vector<std::string>& pairs) {
  const unsigned sinks = has_trait(worlds()[place.world].marks, TraitId::kSinks) ? 1 : 0;
  const auto [found, is_new] =
      known_.try_emplace({place.release, place.gpu, static_cast<std::uint16_t>(kind_at(place) * 2 + sinks)}, 0);
  if (is_new) {
    found->second = numbers_.try_emplace(refusals(place, pairs), static_cast<int>(numbers_.size())).first->second;
  }
  return found->second;
}

// Each combination's refusal; what values stand for is told apart elsewhere. A method is asked for its GPU and its
// types alone.
std::string KernelNumbers::refusals(const Place& place, const std::vector<std::string>& pairs) const {
  Deployment deployment = situation_at(place);
  deployment.marks.dtype = 0;
  deployment.marks.kv_dtype = 0;
  const KernelRoles& roles = engine_.kernels.roles;
  std::string out;
  TargetValues values(engine_.checked.targets.size());
  const auto each = [&](std::int8_t target, const auto& then) {
    for (const std::string& text : texts_of(target, pairs)) {
      if (target >= 0) values[static_cast<std::size_t>(target)] = text;
      then();
    }
    if (target >= 0) values[static_cast<std::size_t>(target)].clear();
  };
  const auto ask = [&] {
    const auto refusal = refused_by_kernels(engine_, deployment, values);
    out += refusal ? static_cast<char>('a' + refusal->target) : '.';
  };
  each(roles.dtype, [&] {
    each(roles.method, ask);
    each(roles.attention, [&] { each(roles.kv, ask); });
  });
  return out;
}

}  // namespace quantmap::proof
