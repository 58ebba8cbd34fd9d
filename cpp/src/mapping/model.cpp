// What a request says about its model, by name or by its files.
#include <algorithm>

#include "quantmap/base/text.hpp"
#include "quantmap/config/checkpoint_kind.hpp"
#include "quantmap/mapping/launch.hpp"
#include "quantmap/release/argument_schema.hpp"

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

ModelKind kind_of(const Architecture& architecture) noexcept {
  if (!architecture.is_mla()) return ModelKind::kHeads;
  return architecture.mla.index_size > 0 ? ModelKind::kSparseMla : ModelKind::kMla;
}

// The size that attention kernels are asked for: of the keys, or of the compressed vector and its positions.
std::int64_t head_size_of(const Architecture& architecture) noexcept {
  if (architecture.is_mla()) return architecture.mla.kv_rank + architecture.mla.rope_size;
  std::int64_t size = architecture.head_size;
  for (const Layer& layer : architecture.layers) {
    const bool attends = layer.kind == LayerKind::kFull || layer.kind == LayerKind::kSliding;
    if (attends && layer.key_size != size) return 0;
  }
  return size;
}

bool concerns_experts(FieldId field) noexcept {
  constexpr FieldId fields[] = {FieldId::kMoe, FieldId::kMoeQuantization, FieldId::kMoeRunner, FieldId::kMoeTp,
                                FieldId::kEp};
  return std::find(std::begin(fields), std::end(fields), field) != std::end(fields);
}

}  // namespace

std::optional<ModelQuantization> read_model(const LaunchRequest& request, Diagnostics& warnings,
                                            Diagnostics& problems) {
  ModelQuantization said = read_model_quantization(request.model_quantization, warnings);
  std::optional<Checkpoint> read;
  const Checkpoint* checkpoint = request.inspected.get();
  if (checkpoint == nullptr && !request.checkpoint.is_null()) {
    read = inspect_checkpoint(request.checkpoint, Path("checkpoint"), problems);
    if (!read) return std::nullopt;
    checkpoint = &*read;
  }
  if (checkpoint == nullptr) return said;
  warnings.append(checkpoint->notes);
  ModelQuantization found{checkpoint->quantization.quantized(), {}, true};
  if (found.quantized) found.method = method_name(checkpoint->quantization);
  if (const auto& architecture = checkpoint->architecture) {
    found.dense = !architecture->is_moe();
    found.kind = kind_of(*architecture);
    found.head_size = head_size_of(*architecture);
  }
  // Files know better than the caller; the caller knows better than a name.
  if (said.given && checkpoint->evidence == Evidence::kName) return said;
  const std::size_t kind = said.quantized ? find_checkpoint_kind(said.method) : 0;
  if (said.given && kind != checkpoint->quantization.kind) {
    const auto title = [](std::size_t number) { return std::string(catalog().checkpoint_kinds[number].title); };
    warnings.add(Code::kCheckpointDiffers, "model_quantization",
                 {{"first", title(kind)}, {"second", title(checkpoint->quantization.kind)}});
  }
  return found;
}

Config without_experts(const Config& config) {
  Config out = config;
  for (const Field& field : catalog().fields) {
    if (!concerns_experts(field.field)) continue;
    out[field.field] = {};
    for (std::size_t i = 0; i < catalog().sections.size(); ++i) {
      if (catalog().sections[i].id == field.section) out.sections &= ~(std::uint32_t{1} << i);
    }
  }
  return out;
}

void note_dense(const Config& asked, Mapping& mapping) {
  const auto path = [](const Field& field) {
    return "$." + (field.section.empty() ? std::string() : std::string(field.section) + ".") + std::string(field.key);
  };
  for (const Field& field : catalog().fields) {
    const Setting& setting = asked[field.field];
    if (!concerns_experts(field.field) || !setting.present || field.form != asked.form) continue;
    if (field.default_option >= 0 && setting.number == field.default_option) continue;
    const std::string value = spelled(field.field, setting);
    const Context context{{"key", std::string(field.key)}, {"value", value}};
    mapping.diagnostics.add(Code::kDenseModel, path(field), context);
    auto decision = std::find_if(mapping.decisions.begin(), mapping.decisions.end(),
                                 [&field](const Decision& item) { return item.field == field.field; });
    if (decision == mapping.decisions.end()) decision = mapping.decisions.insert(decision, Decision{});
    *decision = {field.field, true, value, {}, Outcome::kIgnored, {Code::kDenseModel, path(field), context}, {}};
  }
  mapping.config = asked;
}

}  // namespace quantmap
