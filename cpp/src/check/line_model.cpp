#include "line_model.hpp"

#include "model/file_store.hpp"
#include "quantmap/base/text.hpp"
#include "quantmap/catalog/codes.hpp"
#include "quantmap/mapping/launch.hpp"

namespace quantmap {

namespace {

// What stands where the launch says; of a path that is not on this machine its last part.
std::optional<Checkpoint> read_named(const std::string& named, std::string_view cache) {
  Diagnostics unread;
  const Path path("command");
  if (auto found = inspect_checkpoint(Value::text(named), path, unread, cache)) return found;
  if (find_place(named).store != nullptr) return std::nullopt;  // it is there, and not to be read
  if (auto file = unread_gguf(named)) return file;
  std::string_view last(named);
  while (last.ends_with('/')) last.remove_suffix(1);
  last = last.substr(last.rfind('/') == std::string_view::npos ? 0 : last.rfind('/') + 1);
  Diagnostics unused;
  return inspect_checkpoint(Value::text(std::string(last)), path, unused);
}

std::string title_of(const Checkpoint& checkpoint) {
  return std::string(catalog().checkpoint_kinds[checkpoint.quantization.kind].title);
}

// The caller's checkpoint is another one than the launch names.
void compare(const CheckRequest& request, const std::string& named, const ModelQuantization& model,
             Diagnostics& notes) {
  const auto own = named.empty() || model.facts == nullptr ? std::nullopt : read_named(named, request.model_cache);
  if (!own || own->evidence == Evidence::kName || own->quantization.kind == model.facts->quantization.kind) return;
  const std::string given(catalog().checkpoint_kinds[model.facts->quantization.kind].title);
  notes.add(Code::kModelDiffers, "checkpoint", {{"value", quote(named)}, {"first", title_of(*own)}, {"second", given}});
}

}  // namespace

LineModel read_line_model(const CheckRequest& request, const std::string& named, Diagnostics& notes,
                          Diagnostics& problems) {
  if (request.names_model()) {
    std::optional<ModelQuantization> model = read_model(request, notes, problems);
    if (!model) return {};
    compare(request, named, *model, notes);
    const ModelFacts* facts = model->facts.get();
    // Of an id of which there is no file a name is all that is known: no more than where the line names it.
    const bool read = facts == nullptr || facts->has_config || !facts->methods.empty();
    const bool known = model->given && read;
    return {std::move(*model), known};
  }
  return read_named_model(named, request.model_cache, notes);
}

LineModel read_named_model(const std::string& named, std::string_view cache, Diagnostics& notes) {
  auto read = named.empty() ? std::nullopt : read_named(named, cache);
  if (!read) return {};
  if (read->evidence != Evidence::kName) {
    notes.append(read->notes);
    return {model_of(*read), true};
  }
  if (!read->quantization.quantized() && !read->architecture) return {};  // its name says nothing
  notes.add(Code::kOnlyAssumedModel, "command", {{"known", "its name, " + quote(named)}});
  return {model_of(*read), false};
}

}  // namespace quantmap
