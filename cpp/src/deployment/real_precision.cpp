// What a launch really comes to: the precision of each part, and the kernels that the release takes by itself.
#include <algorithm>
#include <iterator>

#include "kernel_parts.hpp"
#include "quantmap/base/text.hpp"

namespace quantmap {

using kernel::release_words;
using kernel::value_of;

namespace {

// A backend's name with who chose it; more than a name stands as it is.
std::string chosen(const Engine& engine, const Deployment& deployment, std::string_view is) {
  const bool name = is.find(',') == std::string_view::npos;
  return std::string(is) + (name ? ", the choice of " + release_words(engine, deployment.release) : "");
}

// The attention backend as it was named, or as the order of the release has it; empty when it is not known.
std::string attention_words(const Engine& engine, const Deployment& deployment, const TargetValues& values) {
  if (engine.kernels.roles.attention < 0) return {};
  const EffectiveValues meant(engine, deployment, values);
  const std::string_view named = meant[static_cast<std::size_t>(engine.kernels.roles.attention)];
  if (const AttentionBackend* backend = named.empty() ? nullptr : find_backend(engine, named)) {
    const std::string_view asked = value_of(values, engine.kernels.roles.attention);
    const bool other = meant.replaced() != nullptr && asked != named;
    return std::string(backend->name) + (other ? ", in place of " + std::string(asked) : ", as named");
  }
  const auto choice = choose_attention(engine, kernel_query(engine, deployment, values));
  if (!choice || !choice->taken) return {};
  // Where the sources leave open whether the first is taken, the next that takes the launch is named beside it.
  std::vector<std::string_view> names;
  for (std::size_t i = *choice->taken; i < choice->tried.size(); ++i) {
    const BackendAnswer& answer = choice->tried[i];
    if (answer.fits != Fits::kNo) names.push_back(answer.backend->name);
    if (answer.fits < Fits::kUnsure || names.size() == 2) break;
  }
  return chosen(engine, deployment, join(names, " or ")) + (choice->certain ? "" : " as far as known");
}

}  // namespace

std::vector<Real> real_precision(const Engine& engine, const Deployment& deployment, const TargetValues& values) {
  std::vector<Real> out;
  if (!deployment.checked) return out;
  Real kernels[] = {{kAttentionBackend, {}}, {kLinearKernel, {}}, {kExpertsBackend, {}}};
  for (const Precision* row : effective_precision(engine, deployment, values)) {
    const auto kernel =
        std::find_if(std::begin(kernels), std::end(kernels), [row](const Real& real) { return real.of == row->of; });
    if (kernel == std::end(kernels)) {
      out.push_back({row->of, std::string(row->is)});
    } else {
      kernel->is = chosen(engine, deployment, row->is);
    }
  }
  if (kernels[0].is.empty()) kernels[0].is = attention_words(engine, deployment, values);
  for (Real& kernel : kernels) {
    if (!kernel.is.empty()) out.push_back(std::move(kernel));
  }
  return out;
}

}  // namespace quantmap
