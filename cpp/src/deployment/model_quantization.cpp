#include "quantmap/deployment/model_quantization.hpp"
#include "quantmap/catalog/codes.hpp"

#include <algorithm>
#include <span>

#include "quantmap/base/text.hpp"
#include "quantmap/config/checkpoint_kind.hpp"

namespace quantmap {

namespace {

// The method under a name that means the kind of checkpoint it really is: "modelopt" is several.
std::string method_name(const Quantization& quantization) {
  const CheckpointKind& kind = catalog().checkpoint_kinds[quantization.kind];
  if (!quantization.method.empty() && find_checkpoint_kind(quantization.method) == quantization.kind) {
    return quantization.method;
  }
  if (!kind.names.empty()) return std::string(kind.names.front());
  return lower(quantization.algorithm.empty() ? kind.id : std::string_view(quantization.algorithm));
}

// The size that attention kernels are asked for: of the keys, or of the compressed vector and its positions.
std::int64_t head_size_of(const Architecture& architecture) noexcept {
  if (architecture.is_mla()) return architecture.mla.kv_rank + architecture.mla.rope_size;
  std::int64_t size = architecture.head_size;
  for (const Layer& layer : architecture.layers) {
    if (layer.attends() && layer.key_size != size) return 0;
  }
  return size;
}

}  // namespace

ModelQuantization model_of(const Checkpoint& checkpoint) {
  ModelQuantization out{checkpoint.quantization.quantized(), {}, true};
  if (out.quantized) out.method = method_name(checkpoint.quantization);
  out.facts = std::make_shared<const ModelFacts>(read_facts(checkpoint));
  out.marks = marks_of(*out.facts);
  if (const auto& architecture = checkpoint.architecture) {
    out.dense = !architecture->is_moe();
    out.kind = kind_of(*architecture);
    out.head_size = head_size_of(*architecture);
  }
  return out;
}

void take_model(const ModelQuantization& model, const Engine& engine, Deployment& deployment) {
  deployment.checkpoint = model.quantized ? find_checkpoint_kind(model.method) : 0;
  deployment.model = static_cast<std::size_t>(model.kind);
  deployment.head_size = model.head_size;
  if (model.facts != nullptr && engine.kernels.by_head.contains(model.facts->architecture.model_type)) {
    deployment.model = static_cast<std::size_t>(ModelKind::kHeads);
    deployment.head_size = model.facts->architecture.head_size;
  }
  deployment.experts = model.kind != ModelKind::kUnknown && !model.dense;
  deployment.marks = model.marks;
  deployment.facts = model.facts;
}

ModelQuantization read_model_quantization(const Value& value, Diagnostics& warnings) {
  const Value* method = &value;
  if (value.is_object()) method = value.find(catalog().method_key);
  if (method != nullptr && method->is_null() && !value.is_object()) return {};
  if (method == nullptr || !method->is_text()) {
    warnings.add(
        Code::kUnreadableModelQuantization, "model_quantization",
        {{"got", value.is_object() ? "an object without " + std::string(catalog().method_key) : value.describe()}});
    return {};
  }
  const std::string name = lower(trim(method->as_text()));
  if (catalog().unquantized_names.contains(name)) return {false, {}, true};
  if (value.is_object()) {
    Diagnostics unused;
    // A section of a config says more than the name of its method: what the method's weights hold.
    const auto checkpoint = inspect_checkpoint(value, Path("model_quantization"), unused);
    if (checkpoint && checkpoint->quantization.quantized()) return model_of(*checkpoint);
  }
  return {true, std::string(head(name, 60)), true};
}

}  // namespace quantmap
