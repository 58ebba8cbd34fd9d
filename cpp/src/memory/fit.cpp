#include "quantmap/memory/fit.hpp"
#include "quantmap/catalog/codes.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "memory/fit_builder.hpp"
#include "quantmap/base/text.hpp"
#include "quantmap/config/validate.hpp"
#include "quantmap/mapping/launch.hpp"
#include "quantmap/mapping/merge.hpp"

namespace quantmap {

namespace {

constexpr std::int64_t kMostGpus = 1 << 20;
constexpr std::int64_t kMostTokens = 1'000'000'000'000;

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

// A share of memory above 0 and up to 1; null is nothing.
std::optional<double> read_share(const Value& value, Diagnostics& problems) {
  if (value.is_null()) return std::nullopt;
  const Path path("memory_fraction");
  double share = value.as_real();
  if (value.kind() == Value::Kind::kInteger) {
    share = value.as_text() == "1" ? 1.0 : 0.0;
  } else if (value.kind() != Value::Kind::kReal) {
    report_wrong_type(value, "a number", path, problems);
    return std::nullopt;
  }
  if (share > 0 && share <= 1) return share;
  const std::string shown = value.kind() == Value::Kind::kReal ? python_float(share) : value.as_text();
  problems.add(Code::kOutOfRange, path.str(), {{"value", std::string(head(shown, 40))}, {"known", "above 0, up to 1"}});
  return std::nullopt;
}

double real_of(const Value& object, std::string_view key, double otherwise) {
  const Value* value = object.find(key);
  return value != nullptr && value->kind() == Value::Kind::kReal ? value->as_real() : otherwise;
}

Asked read_asked(const FitRequest& request, Diagnostics& problems) {
  Asked out;
  out.fraction = read_share(request.memory_fraction, problems);
  out.tensor = read_count(request.tensor, "tp", kMostGpus, 0, problems);
  out.pipeline = read_count(request.pipeline, "pp", kMostGpus, 0, problems);
  out.context = read_count(request.context, "context", kMostTokens, 0, problems);
  out.concurrency = read_count(request.concurrency, "concurrency", kMostTokens, 1, problems);
  out.cures = request.cures;
  out.model_cache = request.model_cache;
  if (request.correction.is_object()) {
    out.corrected = true;
    out.weight_ratio = std::clamp(real_of(request.correction, "weights", 1), 0.5, 2.0);
    out.held_back = std::clamp(real_of(request.correction, "held_back", 0), -1e12, 1e12);
  }
  return out;
}

// The sizes asked as arguments of the launch, so that what the release refuses of them is refused here.
void add_sizes(const Engine& engine, const Asked& asked, Value& parameters) {
  if (!parameters.is_null() && !parameters.is_object()) return;
  const auto flag_of_role = [&engine](MemoryRole role) -> std::string_view {
    for (const MemoryFlag& flag : engine.memory.flags) {
      if (flag.role == role) return flag.flag;
    }
    return {};
  };
  const std::pair<MemoryRole, std::int64_t> sizes[] = {{MemoryRole::kTensor, asked.tensor},
                                                       {MemoryRole::kPipeline, asked.pipeline}};
  for (const auto& [role, size] : sizes) {
    const std::string_view flag = flag_of_role(role);
    if (size <= 0 || flag.empty()) continue;
    const std::string identity = flag_identity(flag, &engine);
    Value out = Value::object();
    for (const auto& [key, value] : parameters.members()) {
      if (flag_identity(key, &engine) != identity) out.set(key, value);
    }
    out.set(std::string(flag), Value::integer(std::to_string(size)));
    parameters = std::move(out);
  }
}

LaunchRequest launch_request(const FitRequest& request, const std::shared_ptr<const Checkpoint>& checkpoint) {
  LaunchRequest out;
  static_cast<DeploymentRequest&>(out) = request;
  out.inspected = checkpoint;
  out.runtime = request.runtime;
  out.quant_config = request.quant_config;
  out.user_parameters = request.user_parameters;
  return out;
}

// The mapping on a release: the newest one when none is named.
std::optional<Mapping> map_on_release(LaunchRequest request, const Asked& asked, bool& newest, Diagnostics& problems) {
  std::string suffix;
  Diagnostics found;
  const Engine* engine = read_runtime(request.runtime, suffix, found);
  if (engine != nullptr) add_sizes(*engine, asked, request.user_parameters);
  if (engine != nullptr && suffix.empty() && request.engine_version.is_null()) {
    DeploymentRequest bare;
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
  constexpr std::string_view kNames[] = {"fits",         "tight",   "fits-with-less-context",
                                         "does-not-fit", "refused", "unknown"};
  return kNames[static_cast<std::size_t>(verdict)];
}

std::optional<MemoryFit> estimate_fit(const FitRequest& request, Diagnostics& problems) {
  const std::shared_ptr<const Checkpoint> checkpoint = read_checkpoint(request, problems);
  if (checkpoint == nullptr) {
    if (!problems.has_errors())
      report_wrong_type({}, "a path, the id of a model or a config", Path("checkpoint"), problems);
    return std::nullopt;
  }
  const Asked asked = read_asked(request, problems);
  bool newest = false;
  std::optional<Mapping> mapping = map_on_release(launch_request(request, checkpoint), asked, newest, problems);
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
  fit.mapping = std::move(*mapping);
  if (newest) {
    fit.assumptions.push_back(
        "no release is named: " + std::string(fit.mapping.engine->name) + " " +
        std::string(fit.mapping.engine->surface.releases[fit.mapping.deployment.release].version) +
        ", the newest known");
  }
  FitBuilder(*checkpoint, fit, asked).build();
  return fit;
}

}  // namespace quantmap
