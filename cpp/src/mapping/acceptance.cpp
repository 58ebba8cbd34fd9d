#include "quantmap/mapping/acceptance.hpp"

#include <algorithm>
#include <map>
#include <string>

#include "quantmap/deployment/verdict.hpp"

namespace quantmap {

namespace {

// Every four-field config once, in counting order.
template <typename Visit>
void for_every_config(Visit visit) {
  Config config;
  const auto& fields = catalog().fields;
  const auto step = [&](auto& self, std::size_t at) -> void {
    while (at < fields.size() && fields[at].form != Form::kFourField) ++at;
    if (at == fields.size()) return visit(config);
    for (std::size_t option = 0; option < fields[at].options.size(); ++option) {
      config.choose(fields[at].field, static_cast<std::int64_t>(option));
      self(self, at + 1);
    }
  };
  step(step, 0);
}

}  // namespace

Acceptance documented_acceptance(const Engine& engine, const Deployment& deployment, const ModelQuantization& model) {
  Acceptance out;
  if (engine.documented.rows.empty()) return out;
  Deployment judged = deployment;
  take_model(model, engine, judged);
  std::map<std::string, bool> known;  // launch → refused
  for_every_config([&](const Config& config) {
    const Mapping mapping = map_config(config, engine, model);
    std::string launch;
    for (const Argument& argument : mapping.arguments) launch += argument.flag + "=" + to_text(argument.value) + "\n";
    const auto [place, is_new] = known.try_emplace(std::move(launch), false);
    if (is_new) {
      const std::vector<Verdict> verdicts = judge(engine, judged, mapping.arguments);
      place->second = std::any_of(verdicts.begin(), verdicts.end(),
                                  [](const Verdict& verdict) { return is_refusal(verdict.judgement); });
    }
    ++out.asked;
    out.refused += place->second ? 1 : 0;
  });
  out.launches = known.size();
  return out;
}

}  // namespace quantmap
