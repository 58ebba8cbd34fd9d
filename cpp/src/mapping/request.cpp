// Which mode, release and GPU a request means.
#include <algorithm>

#include "quantmap/base/text.hpp"
#include "quantmap/base/version.hpp"
#include "quantmap/catalog/codes.hpp"
#include "quantmap/config/validate.hpp"
#include "quantmap/mapping/request.hpp"
#include "quantmap/release/gpu.hpp"

namespace quantmap {

namespace {

struct VersionText {
  std::string text;
  std::string path;
  bool is_image_tag = false;
};

constexpr std::string_view kDefaultsName = "QUANTMAP_ENGINE_VERSIONS";
constexpr std::string_view kDefaultGpuName = "QUANTMAP_GPU";

// The engine's entry in "sglang=0.5.2,vllm=0.11.0".
std::optional<std::string> default_version(std::string_view list, const Engine& engine, Diagnostics& problems) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const std::string_view item = trim(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
    if (item.empty()) continue;
    const std::size_t mark = item.find('=');
    std::string unused;
    Diagnostics unknown;
    const Engine* named = read_runtime(Value::text(std::string(item.substr(0, mark))), unused, unknown);
    if (mark == std::string_view::npos || named == nullptr) {
      problems.add(Code::kUnknownEngine, std::string(kDefaultsName),
                   {{"value", quote(item)}, {"known", "engine=version"}, {"hint", "write it as sglang=0.5.2"}});
      continue;
    }
    if (named == &engine) return std::string(trim(item.substr(mark + 1)));
  }
  return std::nullopt;
}

std::optional<VersionText> version_text(const DeploymentRequest& request, const Engine& engine,
                                        const std::string& suffix, Diagnostics& problems) {
  if (!request.engine_version.is_null()) {
    const Path path("engine_version");
    if (request.engine_version.is_text()) return VersionText{request.engine_version.as_text(), path.str()};
    report_wrong_type(request.engine_version, "a version as a string", path, problems);
    return std::nullopt;
  }
  if (!suffix.empty()) return VersionText{suffix, "runtime"};
  if (!request.image_tag.is_null()) {
    const Path path("runtime_image_tag");
    if (!request.image_tag.is_text()) {
      report_wrong_type(request.image_tag, "an image tag as a string", path, problems);
      return std::nullopt;
    }
    return VersionText{request.image_tag.as_text(), path.str(), true};
  }
  if (auto text = default_version(request.default_versions, engine, problems)) {
    return VersionText{std::move(*text), std::string(kDefaultsName)};
  }
  return std::nullopt;
}

}  // namespace

bool names_default(std::string_view list, const Engine& engine) {
  Diagnostics unused;
  return default_version(list, engine, unused).has_value();
}

std::optional<Deployment> read_deployment(const DeploymentRequest& request, const Engine& engine,
                                          const std::string& suffix, Diagnostics& problems) {
  Deployment deployment;
  deployment.arguments_only = request.arguments_only;
  const auto take_gpu = [&](const Value& value, const Path& path) {
    const auto gpu = read_gpu(value, path, problems);
    if (gpu) deployment.gpu = gpu->gpu_class;
  };
  if (!request.gpu.is_null()) take_gpu(request.gpu, Path("gpu"));
  if (request.activations.kind() == Value::Kind::kBoolean) {
    deployment.activations = request.activations.as_boolean();
  } else if (!request.activations.is_null()) {
    report_wrong_type(request.activations, "true or false", Path("activations"), problems);
  }
  std::optional<VersionText> version = version_text(request, engine, suffix, problems);
  if (version && version->is_image_tag && lower(version->text) != "latest" && !Version::parse(version->text)) {
    problems.add(Code::kUnreadableImageTag, version->path, {{"value", quote(version->text)}});
    version.reset();
  }
  const bool documented = !engine.documented.rows.empty();
  if (!version && !documented) version = VersionText{"latest", "runtime"};
  if (!version) return deployment;
  const auto release = find_release(engine, version->text, Path(version->path), problems);
  if (!release) return std::nullopt;
  deployment.checked = true;
  deployment.release = *release;
  if (request.gpu.is_null() && !request.default_gpu.empty()) {
    take_gpu(Value::text(request.default_gpu), Path(kDefaultGpuName));
  }
  return deployment;
}

}  // namespace quantmap
