#include "quantmap/model/checkpoint.hpp"
#include "quantmap/catalog/codes.hpp"

#include <algorithm>

#include "base/letters.hpp"
#include "model/declarations.hpp"
#include "model/mistral_params.hpp"
#include "model/model_files.hpp"
#include "model/shards.hpp"
#include "quantmap/base/json_io.hpp"
#include "quantmap/base/text.hpp"
#include "quantmap/config/validate.hpp"

namespace quantmap {

namespace {

constexpr std::string_view kConfig = "config.json";
constexpr std::string_view kParams = "params.json";  // Mistral's own, beside consolidated.safetensors
constexpr std::string_view kJson = ".json";
constexpr std::string_view kOfName = "name";  // a disagreement with what the folder is called

// The files that speak of quantization beside config.json, and what they are to the catalogue.
struct SideFile {
  std::string_view name;
  Source source;
};
constexpr SideFile kSideFiles[] = {{"hf_quant_config.json", Source::kHfQuantConfig},
                                   {"quantize_config.json", Source::kQuantizeConfig},
                                   {"quant_config.json", Source::kQuantizeConfig},
                                   {"quantization_config.json", Source::kQuantizeConfig},
                                   {"quant_model_description.json", Source::kQuantModelDescription}};

// What a reader of Python objects could not translate.
void report_broken(const Value& value, const Path& path, Diagnostics& problems) {
  if (value.kind() == Value::Kind::kBroken) report_wrong_type(value, "JSON", path, problems);
  for (const Value::Member& member : value.members()) {
    report_broken(member.second, Path(path, member.first), problems);
  }
  for (std::size_t i = 0; i < value.items().size(); ++i) report_broken(value.items()[i], Path(path, i), problems);
}

class Inspector {
 public:
  Inspector(const Path& path, Diagnostics& problems, std::string_view cache = {})
      : path_(path), problems_(problems), cache_(cache) {}

  std::optional<Checkpoint> from_config(const Value& config) {
    report_broken(config, path_, problems_);
    out_.evidence = Evidence::kConfig;
    if (config.find(catalog().method_key) != nullptr && config.find("model_type") == nullptr) {
      // The content of quantization_config alone.
      claims_.push_back(read_claim(config, Source::kQuantizationConfig, "quantization_config", path_, out_.notes));
    } else {
      const std::optional<Value> params = config_of_params(config);
      read_config(params ? *params : config, "", path_);
    }
    return finish();
  }

  std::optional<Checkpoint> from_text(const std::string& text) {
    out_.source = text;
    if (text.empty() || text.find('\0') != std::string::npos || !is_valid_utf8(text)) {
      problems_.add(Code::kWrongType, path_.str(),
                    {{"expected", "a path or the id of a model"}, {"got", quote(text)}, {"hint", "name a folder"}});
      return std::nullopt;
    }
    const Place place = find_place(text);
    if (!place.reason.empty()) return refuse(text, place.reason);
    if (place.store != nullptr) return place.file.empty() ? from_folder(place) : from_file(place);
    if (!is_model_id(text)) return refuse(text, "no such folder or file");
    const Place cached = cached_place(text);
    if (cached.store != nullptr && cached.file.empty()) return from_folder(cached);
    if (const KnownModel* model = find_known_model(text)) return from_catalogue(*model);
    if (auto claim = claim_of_name(text)) claims_.push_back(std::move(*claim));
    out_.notes.add(Code::kOnlyAName, path_.str(), {{"value", quote(text)}});
    return finish();
  }

 private:
  static bool is_model_id(std::string_view text) {
    if (text.size() > 200 || std::count(text.begin(), text.end(), '/') > 1) return false;
    if (text.front() == '/' || text.front() == '.' || text.back() == '/') return false;
    const bool file = text.ends_with(".gguf") || text.ends_with(".json") || text.ends_with(kSafetensors);
    return !file && std::all_of(text.begin(), text.end(), [](char c) { return is_alnum_or(c, "_-./"); });
  }

  // Where the local cache keeps a model of this id: models--owner--name.
  [[nodiscard]] Place cached_place(const std::string& id) const {
    if (cache_.empty()) return {};
    std::string name = "models--" + id;
    if (const std::size_t slash = name.find('/'); slash != std::string::npos) name.replace(slash, 1, "--");
    return find_place(std::string(cache_) + "/" + name);
  }

  std::optional<Checkpoint> from_catalogue(const KnownModel& model) {
    const std::optional<Value> config = read_json(std::string(model.config), path_, problems_);
    if (!config) return std::nullopt;
    out_.evidence = model.assumed ? Evidence::kName : Evidence::kCatalog;
    read_config(*config, "", path_);
    out_.notes.add(Code::kKnownModel, path_.str(),
                   {{"value", std::string(model.id)}, {"known", std::string(model.source)}});
    return finish();
  }

  std::nullopt_t refuse(const std::string& what, std::string reason) {
    problems_.add(Code::kUnreadableFile, path_.str(), {{"value", quote(what)}, {"reason", std::move(reason)}});
    return std::nullopt;
  }

  std::optional<Checkpoint> from_file(const Place& place) {
    const std::string& name = place.file;
    if (name == kConfig || name == kIndex) return from_folder(place);
    ModelFiles files(*place.store, path_);
    out_.folder = place.folder;
    if (name.ends_with(kJson)) {
      const std::optional<Value> config = files.json(name, problems_);
      return config ? from_config(*config) : std::nullopt;
    }
    if (name.ends_with(kSafetensors)) {
      WeightSum sum(0);
      FileTensors found;
      if (!read_safetensors(files, name, sum, found, problems_)) return std::nullopt;
      take_weights(sum, "safetensors");
      return finish(&files, &sum);
    }
    return from_gguf(files, name);
  }

  std::optional<Checkpoint> from_gguf(ModelFiles& files, const std::string& name) {
    WeightSum sum(0);
    GgufHeader header;
    bool good = true;
    for (const std::string& part : gguf_parts(files, name))
      good = read_gguf(files, part, sum, header, problems_) && good;
    if (!good) return std::nullopt;
    Declaration claim = bare_claim(Source::kGguf, name, {});
    take_weights(sum, claim.quantization.method);
    describe_gguf(claim.quantization);
    claims_.push_back(std::move(claim));
    if (const Value* family = header.config.find("model_type"); family != nullptr) out_.family = family->as_text();
    out_.architecture = read_architecture(header.config, path_, out_.notes);
    return finish(&files, &sum);
  }

  // The type that takes most of the file, and how many bits a weight takes on average.
  void describe_gguf(Quantization& quantization) const {
    for (const DtypeShare& share : out_.weights->dtypes) {
      if (quantization.algorithm.empty()) quantization.algorithm = share.dtype;
    }
    if (out_.weights->parameters == 0) return;
    Scheme scheme;
    scheme.name = quantization.algorithm;
    scheme.weight_bits = static_cast<double>(out_.weights->bytes) * 8 / static_cast<double>(out_.weights->parameters);
    quantization.schemes = {scheme};
  }

  std::optional<Checkpoint> from_folder(const Place& given) {
    Place snapshot;
    if (!find_snapshot(given, snapshot)) return refuse(out_.source, "a cache folder without a snapshot");
    const Place& place = snapshot.store != nullptr ? snapshot : given;
    ModelFiles files(*place.store, path_);
    out_.folder = place.folder;
    const std::string_view config = files.has(std::string(kConfig)) ? kConfig : kParams;
    if (!files.has(std::string(config))) {
      const std::vector<std::string> names = gguf_models(files);
      const bool one_model = !names.empty() && gguf_parts(files, names.front()).size() == names.size();
      if (one_model) return from_gguf(files, names.front());
      if (!names.empty()) return refuse(out_.source, "a folder with several GGUF models: name one of the files");
      if (files.ending(kSafetensors).empty()) return refuse(out_.source, "no config.json and no weight file in it");
    } else if (!read_config_file(files, config)) {
      return std::nullopt;
    }
    for (const SideFile& side : kSideFiles) read_side_file(files, side);
    if (problems_.has_errors()) return std::nullopt;
    WeightSum sum(packed_bits());
    bool complete = true;
    if (!read_shards(files, sum, complete, problems_, out_.notes)) return std::nullopt;
    if (sum.result().tensors > 0) take_weights(sum, "safetensors");
    if (out_.weights) out_.weights->complete = complete;
    return finish(&files, &sum);
  }

  // Of a folder of the cache, the snapshot in it; false when it has none. Any other folder is left as it is.
  bool find_snapshot(const Place& given, Place& out) {
    if (given.store->has(std::string(kConfig))) return true;
    const Place snapshots = inner_place(given.folder, "snapshots");
    if (snapshots.store == nullptr) return true;
    const std::optional<std::string> revision = revision_in(given, snapshots);
    if (!revision) return false;
    out = inner_place(given.folder, "snapshots/" + *revision);
    out_.revision = *revision;
    return out.store != nullptr;
  }

  // The GGUF files of a folder that are models: a projector of images stands beside one.
  static std::vector<std::string> gguf_models(const ModelFiles& files) {
    std::vector<std::string> names = files.ending(".gguf");
    std::erase_if(names, [](const std::string& name) { return name.starts_with("mmproj"); });
    return names;
  }

  bool read_config_file(ModelFiles& files, std::string_view name) {
    const std::optional<Value> config = files.json(std::string(name), problems_);
    if (!config) return false;
    out_.evidence = Evidence::kConfig;
    const Path at(path_, name);
    const std::optional<Value> params = config_of_params(*config);
    read_config(params ? *params : *config, std::string(name) + "#", at);
    return true;
  }

  // The commit that refs/main names, or the only snapshot.
  std::optional<std::string> revision_in(const Place& folder, const Place& snapshots) {
    ModelFiles cache(*folder.store, path_);
    if (cache.has("refs/main")) {
      const std::optional<std::string> text = cache.text("refs/main", 200, problems_);
      if (!text) return std::nullopt;
      const std::string revision(trim(*text));
      const bool plain = !revision.empty() && std::all_of(revision.begin(), revision.end(), is_alnum);
      if (plain && cache.has("snapshots/" + revision)) return revision;
      report_bad_file(problems_, path_, "refs/main", 0, "it names no snapshot");
      return std::nullopt;
    }
    const std::vector<std::string> all = ModelFiles(*snapshots.store, path_).ending("");
    return all.size() == 1 ? std::optional<std::string>(all.front()) : std::nullopt;
  }

  void read_config(const Value& config, const std::string& file, const Path& at) {
    out_.architecture = read_architecture(config, at, out_.notes);
    claim_in(config, "quantization_config", Source::kQuantizationConfig, file, at);
    claim_in(config, "compression_config", Source::kCompressionConfig, file, at);
    std::string inside;
    const Value& text = text_config(config, inside);
    if (!inside.empty())
      claim_in(text, "quantization_config", Source::kTextQuantizationConfig, file + inside + "/", at);
    for (Declaration& claim : claims_) claim.add("model_type", out_.architecture ? out_.architecture->model_type : "");
  }

  void claim_in(const Value& object, std::string_view key, Source source, const std::string& file, const Path& at) {
    const Value* inner = object.find(key);
    if (inner == nullptr || inner->is_null()) return;
    const Path place(at, key);
    if (!inner->is_object()) {
      out_.notes.add(Code::kUnusableInCheckpoint, place.str(), {{"key", quote(key)}, {"got", inner->describe()}});
    } else if (!inner->members().empty()) {
      claims_.push_back(read_claim(*inner, source, file + std::string(key), place, out_.notes));
    }
  }

  void read_side_file(ModelFiles& files, const SideFile& side) {
    const std::string name(side.name);
    const std::optional<Value> content = files.json(name, problems_);
    if (!content) return;
    out_.evidence = Evidence::kConfig;
    const Path at(path_, name);
    Declaration claim = read_claim(*content, side.source, name, at, out_.notes);
    if (out_.architecture) claim.add("model_type", out_.architecture->model_type);
    claims_.push_back(std::move(claim));
  }

  // How many bits a packed weight has: what the claims say if it is one number.
  double packed_bits() const {
    const Declaration* claim = deciding(claims_);
    if (claim == nullptr || claim->quantization.schemes.empty()) return 0;
    double bits = claim->quantization.schemes.front().weight_bits;
    for (const Scheme& scheme : claim->quantization.schemes) bits = std::min(bits, scheme.weight_bits);
    return bits;
  }

  void take_weights(const WeightSum& sum, std::string_view format) {
    out_.weights = sum.result();
    out_.format = format;
    out_.evidence = Evidence::kHeaders;
  }

  void note(const Disagreement& item) {
    if (item.subject == kOfName) {
      const std::string& promised = item.claims.front().second;
      std::string_view name = out_.source;
      while (name.size() > 1 && name.ends_with('/')) name.remove_suffix(1);
      name.remove_prefix(std::min(name.rfind('/') + 1, name.size()));
      out_.notes.add(Code::kNameDiffers, path_.str(), {{"value", quote(name)}, {"got", promised}});
      return;
    }
    std::string list;
    for (const auto& [source, words] : item.claims) {
      if (!list.empty()) list += "; ";
      list.append(source).append(": ").append(words);
    }
    out_.notes.add(Code::kFilesDisagree, path_.str(), {{"key", item.subject}, {"list", list}});
  }

  std::optional<Checkpoint> finish(ModelFiles* files = nullptr, const WeightSum* sum = nullptr) {
    if (problems_.has_errors()) return std::nullopt;
    if (const Declaration* claim = deciding(claims_)) {
      out_.quantization = claim->quantization;
      for (const Declaration& other : claims_) {
        if (out_.quantization.kv_dtype.empty()) out_.quantization.kv_dtype = other.quantization.kv_dtype;
      }
    }
    if (out_.evidence != Evidence::kName) out_.detections = detect(claims_);
    if (sum != nullptr && out_.weights) {
      out_.quantization.kv_scales = sum->has_kv_scales();
      compare_with_weights(*sum);
    }
    for (Disagreement& item : compare(claims_, out_.detections)) out_.disagreements.push_back(std::move(item));
    compare_with_name();
    for (const Disagreement& item : out_.disagreements) note(item);
    if (files != nullptr) out_.files = files->account();
    for (const FileRead& file : out_.files) out_.bytes_read += file.bytes_read;
    return std::move(out_);
  }

  // The weights themselves: whether anything is stored quantized.
  void compare_with_weights(const WeightSum& sum) {
    std::uint64_t quantized = 0;
    for (const WeightShare& share : out_.weights->parts) quantized += share.quantized_bytes;
    const std::string stored = out_.weights->dtypes.empty() ? "no weights" : out_.weights->dtypes.front().dtype;
    if (out_.quantization.quantized()) {
      if (quantized > 0 || out_.weights->tensors == 0 || !out_.weights->complete) return;
      const std::string title(catalog().checkpoint_kinds[out_.quantization.kind].title);
      if (out_.format != "safetensors") return;
      out_.disagreements.push_back({"weights",
                                    {{out_.quantization.source, title}, {"weight files", stored + ", without scales"}},
                                    "the engines follow the config and fail when they load the weights"});
      return;
    }
    for (const Signature& signature : catalog().detection.signatures) {
      const bool has = std::all_of(signature.tensors.begin(), signature.tensors.end(),
                                   [&sum](std::string_view tensor) { return sum.has_ending(tensor); });
      if (!has) continue;
      out_.quantization.kind = catalog().checkpoint_kinds.size() - 1;
      out_.quantization.source = "weight files";
      out_.quantization.algorithm = signature.means;
      out_.disagreements.push_back({"weights",
                                    {{"config files", "not quantized"}, {"weight files", std::string(signature.means)}},
                                    "the engines follow the config and fail when they load the weights"});
      return;
    }
  }

  // A folder's name promises what its files do not hold.
  void compare_with_name() {
    if (out_.evidence == Evidence::kName || out_.source.empty() || out_.quantization.quantized()) return;
    std::string name = out_.source;
    while (name.size() > 1 && name.ends_with('/')) name.pop_back();
    const std::optional<Declaration> claim = claim_of_name(name);
    if (!claim) return;
    const std::string title(catalog().checkpoint_kinds[claim->quantization.kind].title);
    out_.disagreements.push_back(
        {std::string(kOfName), {{"its name", title}, {"its files", "not quantized"}}, "the engines follow the files"});
  }

  const Path& path_;
  Diagnostics& problems_;
  std::string_view cache_;
  Checkpoint out_;
  std::vector<Declaration> claims_;
};

}  // namespace

std::string_view name_of(Evidence evidence) noexcept {
  constexpr std::string_view names[] = {"name", "catalog", "config", "headers"};
  return names[static_cast<std::size_t>(evidence)];
}

const KnownModel* find_known_model(std::string_view id) {
  const std::string wanted = lower(id);
  const auto& models = catalog().known_models;
  const auto found = std::lower_bound(models.begin(), models.end(), wanted,
                                      [](const KnownModel& model, const auto& key) { return lower(model.id) < key; });
  return found != models.end() && lower(found->id) == wanted ? &*found : nullptr;
}

std::optional<Checkpoint> inspect_checkpoint(const Value& given, const Path& path, Diagnostics& problems,
                                             std::string_view cache) {
  if (given.is_object()) return Inspector(path, problems).from_config(given);
  if (given.is_text()) return Inspector(path, problems, cache).from_text(given.as_text());
  report_wrong_type(given, "a path, the id of a model or a config", path, problems);
  return std::nullopt;
}

}  // namespace quantmap
