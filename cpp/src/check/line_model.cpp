#include "line_model.hpp"

#include "model/file_store.hpp"
#include "quantmap/base/text.hpp"
#include "quantmap/catalog/codes.hpp"
#include "quantmap/mapping/launch.hpp"

namespace quantmap {

namespace {

std::string_view last_part(std::string_view path) {
  while (path.ends_with('/')) path.remove_suffix(1);
  return path.substr(path.rfind('/') == std::string_view::npos ? 0 : path.rfind('/') + 1);
}

// Whether the caller's checkpoint is called as the launch calls its model, wherever it lies.
bool is_named(const CheckRequest& request, const std::string& named) {
  if (named.empty()) return true;
  const std::string given = request.checkpoint.is_text()   ? request.checkpoint.as_text()
                            : request.inspected != nullptr ? request.inspected->source
                                                           : std::string();
  return lower(std::string(last_part(given))) == lower(std::string(last_part(named)));
}

// What stands where the launch says; of a path that is not on this machine its last part.
std::optional<Checkpoint> read_named(const std::string& named, std::string_view cache, Diagnostics& notes) {
  Diagnostics unread;
  const Path path("command");
  if (auto found = inspect_checkpoint(Value::text(named), path, unread, cache)) return found;
  if (find_place(named).store != nullptr) {  // it is there, and not to be read
    const std::string reason = unread.all().empty() ? "it holds no model" : unread.all().front().message();
    notes.add(Code::kModelNotRead, "command", {{"value", quote(named)}, {"reason", reason}});
    return std::nullopt;
  }
  if (auto file = unread_gguf(named)) return file;
  Diagnostics unused;
  return inspect_checkpoint(Value::text(std::string(last_part(named))), path, unused);
}

std::string title_of(const Checkpoint& checkpoint) {
  return std::string(catalog().checkpoint_kinds[checkpoint.quantization.kind].title);
}

// The caller's checkpoint is another one than the launch names.
void compare(const CheckRequest& request, const std::string& named, const ModelQuantization& model,
             Diagnostics& notes) {
  Diagnostics unused;
  const auto own =
      named.empty() || model.facts == nullptr ? std::nullopt : read_named(named, request.model_cache, unused);
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
    return {std::move(*model), known, is_named(request, named)};
  }
  return read_named_model(named, request.model_cache, notes);
}

LineModel read_named_model(const std::string& named, std::string_view cache, Diagnostics& notes) {
  auto read = named.empty() ? std::nullopt : read_named(named, cache, notes);
  if (!read) return {};
  if (read->evidence != Evidence::kName) {
    notes.append(read->notes);
    return {model_of(*read), true, true};
  }
  if (!read->quantization.quantized() && !read->architecture) return {};  // its name says nothing
  notes.add(Code::kOnlyAssumedModel, "command", {{"known", "its name, " + quote(named)}});
  return {model_of(*read), false, true};
}

}  // namespace quantmap
