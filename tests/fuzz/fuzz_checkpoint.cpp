// Arbitrary bytes as one file of a checkpoint: config, index, side file, safetensors, GGUF.
//
// The first byte says which file; for safetensors also whether the length of the header is put right, so that the
// fuzzer gets past it. The files lie in memory: this file stands in for the core's own look at a disk.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "model/file_store.hpp"
#include "quantmap/base/text.hpp"
#include "quantmap/model/checkpoint.hpp"

using namespace quantmap;

namespace {

void require(bool holds, const char* what, std::string_view detail = {}) {
  if (holds) return;
  std::fprintf(stderr, "invariant broken: %s: %.*s\n", what, static_cast<int>(detail.size()), detail.data());
  std::abort();
}

struct Kind {
  const char* file;
  bool with_config;
  bool right_length;
};
constexpr Kind kKinds[] = {{"config.json", false, false},         {"model.safetensors", false, false},
                           {"model.safetensors", true, true},     {"model.gguf", false, false},
                           {"hf_quant_config.json", true, false}, {"model.safetensors.index.json", true, false},
                           {"quantize_config.json", true, false}};
constexpr std::string_view kConfig =
    R"({"num_hidden_layers": 2, "hidden_size": 8, "quantization_config": {"quant_method": "awq", "bits": 4}})";

constexpr const char* kFolder = "/given";
std::map<std::string, std::string>& files() {
  static std::map<std::string, std::string> out;
  return out;
}

class HeldFile final : public StoredFile {
 public:
  explicit HeldFile(std::string_view data) : data_(data) {}
  [[nodiscard]] std::uint64_t size() const noexcept override { return data_.size(); }
  [[nodiscard]] std::size_t read(std::uint64_t offset, char* out, std::size_t count) override {
    if (offset >= data_.size()) return 0;
    return data_.copy(out, count, static_cast<std::size_t>(offset));
  }

 private:
  std::string_view data_;
};

class HeldFolder final : public FileStore {
 public:
  [[nodiscard]] bool has(const std::string& name) const override { return files().count(name) != 0; }
  [[nodiscard]] std::unique_ptr<StoredFile> open(const std::string& name, Unopened& why) const override {
    const auto found = files().find(name);
    why.reason = "no such file";
    return found == files().end() ? nullptr : std::make_unique<HeldFile>(found->second);
  }
  [[nodiscard]] std::vector<std::string> names() const override {
    std::vector<std::string> out;
    for (const auto& file : files()) out.push_back(file.first);
    return out;
  }
};

void check(const Diagnostics& problems) {
  for (const Diagnostic& item : problems.all()) {
    require(!item.message().empty() && item.message().size() < 20'000, "message", item.text().code);
    for (const std::string& text : {item.path, item.message(), item.hint()}) {
      require(is_valid_utf8(text), "UTF-8", item.text().code);
    }
  }
}

}  // namespace

Place quantmap::find_place(const std::string& text) {
  if (text != kFolder) return {};
  return {std::make_unique<HeldFolder>(), kFolder, "", ""};
}

Place quantmap::inner_place(const std::string&, const std::string&) { return {}; }

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Kind& kind = kKinds[data[0] % std::size(kKinds)];
  std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (kind.right_length) {
    std::string length;
    for (unsigned shift = 0; shift < 64; shift += 8) length += static_cast<char>(text.size() >> shift);
    text = length + text + std::string(64, '\0');
  }
  files().clear();
  if (kind.with_config) files().emplace("config.json", kConfig);
  const std::size_t given = text.size();
  files()[kind.file] = std::move(text);

  Diagnostics problems;
  const auto checkpoint = inspect_checkpoint(Value::text(kFolder), Path("checkpoint"), problems);
  require(checkpoint.has_value() != problems.has_errors(), "an error or a checkpoint");
  check(problems);
  if (!checkpoint) return 0;
  check(checkpoint->notes);
  require(checkpoint->bytes_read <= given + kConfig.size(), "no byte is read twice");
  if (checkpoint->weights) require(checkpoint->weights->bytes <= given, "weights lie in the file");
  if (checkpoint->architecture) require(!checkpoint->architecture->layers.empty(), "layers");
  return 0;
}
