#include "where.hpp"

#include <cstdlib>
#include <memory>

#include "convert.hpp"
#include "function.hpp"
#include "quantmap/catalog/catalog.hpp"

namespace quantmap::bindings {

const std::string& default_gpu() {
  static const std::string text = [] {
    const char* value = std::getenv("QUANTMAP_GPU");
    return std::string(value == nullptr ? "" : value);
  }();
  return text;
}

const std::string& default_policy() {
  static const std::string text = [] {
    const char* value = std::getenv("QUANTMAP_POLICY");
    return std::string(value == nullptr ? "" : value);
  }();
  return text;
}

const std::string& model_cache() {
  static const std::string text = [] {
    for (const Pair& place : catalog().model_caches) {
      const char* value = std::getenv(std::string(place.first).c_str());
      if (value == nullptr || *value == 0) continue;
      return std::string(value) + (place.second.empty() ? "" : "/") + std::string(place.second);
    }
    return std::string();
  }();
  return text;
}

const std::string& default_versions() {
  static const std::string text = [] {
    const char* value = std::getenv("QUANTMAP_ENGINE_VERSIONS");
    return std::string(value == nullptr ? "" : value);
  }();
  return text;
}

Value to_checkpoint_value(const py::object& object) {
  if (py::isinstance<py::dict>(object) || !py::hasattr(object, "__fspath__")) return to_core(object);
  return to_core(call(object.attr("__fspath__")));
}

void read_checkpoint_argument(const py::object& object, DeploymentRequest& request) {
  if (object.is_none()) return;
  if (py::hasattr(object, "_inspected")) {
    request.inspected = held<std::shared_ptr<Checkpoint>>(py::object(object.attr("_inspected")));
  } else {
    request.checkpoint = to_checkpoint_value(object);
  }
}

void read_where(const py::object& model_quantization, const py::object& engine_version, const py::object& gpu,
                const py::object& checkpoint, DeploymentRequest& request) {
  request.model_quantization = to_core(model_quantization);
  request.engine_version = to_core(engine_version);
  request.gpu = gpu_to_core(gpu);
  read_checkpoint_argument(checkpoint, request);
  request.default_versions = default_versions();
  request.default_gpu = default_gpu();
  request.model_cache = model_cache();
}

}  // namespace quantmap::bindings
