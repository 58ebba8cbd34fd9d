#include "quantmap/memory/fit.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "memory/fit_parts.hpp"
#include "quantmap/base/text.hpp"
#include "quantmap/config/validate.hpp"
#include "quantmap/mapping/launch.hpp"

namespace quantmap {

namespace {

constexpr std::int64_t kMostGpus = 1 << 20;
constexpr std::int64_t kMostTokens = 1'000'000'000'000;
constexpr std::int64_t kUsualContext = 8192;

std::int64_t read_count(const Value& value, std::string_view name, std::int64_t most, std::int64_t otherwise,
                        Diagnostics& problems) {
  if (value.is_null()) return otherwise;
  const Path path(name);
  std::int64_t number = 0;
  const std::string& digits = value.as_text();
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (value.kind() != Value::Kind::kInteger) {
    report_wrong_type(value, "a whole number", path, problems);
  } else if (error != std::errc() || end != digits.data() + digits.size() || number < 1 || number > most) {
    problems.add(Code::kOutOfRange, path.str(),
                 {{"value", std::string(head(digits, 40))}, {"known", "1 to " + std::to_string(most)}});
  } else {
    return number;
  }
  return otherwise;
}

std::int64_t size_in_config(const Config& config, FieldId field) {
  const Setting setting = effective(config, field);
  return setting.present && setting.number > 0 ? setting.number : 1;
}

LaunchRequest launch_request(const std::shared_ptr<const Checkpoint>& checkpoint, const FitRequest& request) {
  LaunchRequest out;
  out.runtime = request.runtime;
  out.quant_config = request.quant_config;
  out.user_parameters = request.user_parameters;
  out.engine_version = request.engine_version;
  out.gpu = request.gpu;
  out.inspected = checkpoint;
  out.default_versions = request.default_versions;
  out.default_gpu = request.default_gpu;
  return out;
}

// The mapping on a release: the newest one when none is named.
std::optional<Mapping> map_on_release(LaunchRequest request, bool& newest, Diagnostics& problems) {
  std::string suffix;
  Diagnostics found;
  const Engine* engine = read_runtime(request.runtime, suffix, found);
  if (engine != nullptr && suffix.empty() && request.engine_version.is_null()) {
    LaunchRequest bare;
    bare.runtime = request.runtime;
    bare.default_versions = request.default_versions;
    Diagnostics unused;
    const auto deployment = read_deployment(bare, *engine, suffix, unused);
    newest = !deployment || !deployment->checked || engine->documented.rows.empty();
    if (newest) request.engine_version = Value::text("latest");
  }
  return launch(request, problems);
}

}  // namespace

std::string_view name_of(FitVerdict verdict) noexcept {
  constexpr std::string_view kNames[] = {"fits", "fits-with-less-context", "does-not-fit", "unknown"};
  return kNames[static_cast<std::size_t>(verdict)];
}

std::optional<MemoryFit> estimate_fit(const std::shared_ptr<const Checkpoint>& checkpoint, const FitRequest& request,
                                      Diagnostics& problems) {
  const auto fraction = read_share(request.memory_fraction, problems);
  std::int64_t tensor = read_count(request.tensor, "tp", kMostGpus, 0, problems);
  std::int64_t pipeline = read_count(request.pipeline, "pp", kMostGpus, 0, problems);
  const std::int64_t context = read_count(request.context, "context", kMostTokens, 0, problems);
  const std::int64_t concurrency = read_count(request.concurrency, "concurrency", kMostTokens, 1, problems);
  bool newest = false;
  std::optional<Mapping> mapping = map_on_release(launch_request(checkpoint, request), newest, problems);
  MemoryFit fit;
  const Value gpu =
      request.gpu.is_null() && !request.default_gpu.empty() ? Value::text(request.default_gpu) : request.gpu;
  if (!gpu.is_null()) {
    Diagnostics repeated;
    fit.gpu = read_gpu(gpu, Path("gpu"), repeated);
    if (fit.gpu && fit.gpu->memory_bytes == 0) {
      problems.add(Code::kGpuMemoryUnknown, "gpu", {{"value", quote(gpu.as_text())}});
    }
  }
  if (!checkpoint->architecture || checkpoint->architecture->hidden <= 0) {
    problems.add(Code::kModelShapeUnknown, "checkpoint");
  }
  if (!mapping || problems.has_errors()) return std::nullopt;
  const Architecture& model = *checkpoint->architecture;

  fit.mapping = std::move(*mapping);
  fit.parallel.tensor = tensor > 0 ? tensor : size_in_config(fit.mapping.config, FieldId::kTp);
  fit.parallel.pipeline = pipeline > 0 ? pipeline : size_in_config(fit.mapping.config, FieldId::kPp);
  fit.context = context > 0 ? context : model.max_length > 0 ? model.max_length : kUsualContext;
  fit.concurrency = concurrency;
  if (newest) {
    fit.assumptions.push_back(
        "no release is named: " + std::string(fit.mapping.engine->name) + " " +
        std::string(fit.mapping.engine->surface.releases[fit.mapping.deployment.release].version) +
        ", the newest known");
  }
  if (context == 0 && model.max_length == 0) {
    fit.assumptions.push_back(
        "neither request nor model says how long a sequence is: " + std::to_string(kUsualContext) + " tokens");
  }
  if (pipeline == 0 && fit.parallel.pipeline > static_cast<std::int64_t>(model.layers.size())) {
    fit.parallel.pipeline = static_cast<std::int64_t>(model.layers.size());
  }
  report_uneven(model, fit);
  FitBuilder(*checkpoint, fit, fraction).build();
  return fit;
}

}  // namespace quantmap
