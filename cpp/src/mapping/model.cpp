// What a request says about its model, by name or by its files.
#include <algorithm>

#include "quantmap/base/text.hpp"
#include "quantmap/catalog/codes.hpp"
#include "quantmap/config/checkpoint_kind.hpp"
#include "quantmap/mapping/launch.hpp"
#include "quantmap/release/argument_schema.hpp"

namespace quantmap {

namespace {

bool concerns_experts(FieldId field) noexcept {
  constexpr FieldId fields[] = {FieldId::kMoe, FieldId::kMoeQuantization, FieldId::kMoeRunner, FieldId::kMoeTp,
                                FieldId::kEp};
  return std::find(std::begin(fields), std::end(fields), field) != std::end(fields);
}

}  // namespace

std::shared_ptr<const Checkpoint> read_checkpoint(const DeploymentRequest& request, Diagnostics& problems) {
  if (request.inspected != nullptr || request.checkpoint.is_null()) return request.inspected;
  auto read = inspect_checkpoint(request.checkpoint, Path("checkpoint"), problems, request.model_cache);
  return read ? std::make_shared<const Checkpoint>(*std::move(read)) : nullptr;
}

std::optional<ModelQuantization> read_model(const DeploymentRequest& request, Diagnostics& warnings,
                                            Diagnostics& problems) {
  ModelQuantization said = read_model_quantization(request.model_quantization, warnings);
  const std::shared_ptr<const Checkpoint> checkpoint = read_checkpoint(request, problems);
  if (checkpoint == nullptr) return request.checkpoint.is_null() ? std::optional(said) : std::nullopt;
  warnings.append(checkpoint->notes);
  ModelQuantization found = model_of(*checkpoint);
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
