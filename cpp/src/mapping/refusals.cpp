#include <algorithm>

#include "mapping/reading.hpp"
#include "quantmap/base/json_io.hpp"
#include "quantmap/base/kept.hpp"
#include "quantmap/config/resolve.hpp"

namespace quantmap {

namespace {

bool starts(const Mapping& mapping) {
  return !mapping.diagnostics.has_errors() &&
         std::none_of(mapping.decisions.begin(), mapping.decisions.end(),
                      [](const Decision& decision) { return decision.outcome == Outcome::kCannotServe; });
}

// The message of the first error; empty when there is none.
std::string first_error(const Diagnostics& diagnostics) {
  for (const Diagnostic& diagnostic : diagnostics.all()) {
    if (diagnostic.text().severity == Severity::kError) return diagnostic.message();
  }
  return {};
}

}  // namespace

// A config on the ground, mapped without words; its parameters are still open.
struct Refusals::Mapped {
  LaunchReading read;
  std::optional<Mapping> mapping;
  Diagnostics problems;
};

// Points of a space share their configs and arguments.
struct Refusals::Met {
  Kept<Mapped> configs{4096};
  VerdictsKept verdicts{65536};
};

Refusals::Refusals(LaunchRequest ground) : ground_(std::move(ground)), met_(std::make_shared<Met>()) {
  ground_.quant_config = Value::object();
  ground_.wording = Wording::kFull;
  Diagnostics problems;
  LaunchReading read = read_request(ground_, problems);
  read.verdicts = &met_->verdicts;
  if (!problems.has_errors() && read.is_whole()) read_ = std::make_shared<const LaunchReading>(std::move(read));
}

std::shared_ptr<const Refusals::Mapped> Refusals::mapped(const Value& quant_config) const {
  std::string key = write_json(quant_config);
  if (auto found = met_->configs.find(key)) return found;
  const auto made = std::make_shared<Mapped>();
  made->read = *read_;
  made->read.config = resolve(quant_config, Path("$"), made->problems);
  made->mapping = map_read(made->read, Wording::kNone);
  return met_->configs.keep(std::move(key), made);
}

std::string Refusals::of(Value quant_config, Value user_parameters) const {
  if (read_ != nullptr) {
    const std::shared_ptr<const Mapped> config = mapped(quant_config);
    Diagnostics problems = config->problems;
    const auto mapping = launch_of(config->read, config->mapping, user_parameters, Wording::kNone, problems);
    if (mapping && starts(*mapping)) return {};
    // What the arguments are refused for is told in any case; what a policy refuses, a decision tells.
    std::string said = first_error(mapping ? mapping->diagnostics : problems);
    if (!said.empty() && read_->policy != Policy::kStrict) return said;
  }
  LaunchRequest request = ground_;
  request.quant_config = std::move(quant_config);
  request.user_parameters = std::move(user_parameters);
  Diagnostics problems;
  const std::optional<Mapping> mapping = launch(request, problems);
  return first_error(mapping ? mapping->diagnostics : problems);
}

}  // namespace quantmap
