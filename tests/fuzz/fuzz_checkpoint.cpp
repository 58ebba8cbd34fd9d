// Arbitrary bytes as one file of a checkpoint: config, index, side file, safetensors, GGUF.
//
// The first byte says which file; for safetensors also whether the length of the header is put right, so that the
// fuzzer gets past it.
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

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

void write(const std::filesystem::path& path, std::string_view data) { std::ofstream(path, std::ios::binary) << data; }

void check(const Diagnostics& problems) {
  for (const Diagnostic& item : problems.all()) {
    require(!item.message().empty() && item.message().size() < 20'000, "message", item.text().code);
    for (const std::string& text : {item.path, item.message(), item.hint()}) {
      require(is_valid_utf8(text), "UTF-8", item.text().code);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Kind& kind = kKinds[data[0] % std::size(kKinds)];
  std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (kind.right_length) {
    std::string length;
    for (unsigned shift = 0; shift < 64; shift += 8) length += static_cast<char>(text.size() >> shift);
    text = length + text + std::string(64, '\0');
  }
  static const std::filesystem::path folder = [] {
    auto out = std::filesystem::temp_directory_path() / ("quantmap-fuzz-" + std::to_string(getpid()));
    std::filesystem::create_directories(out);
    return out;
  }();
  for (const auto& entry : std::filesystem::directory_iterator(folder)) std::filesystem::remove(entry.path());
  if (kind.with_config) write(folder / "config.json", kConfig);
  write(folder / kind.file, text);

  Diagnostics problems;
  const auto checkpoint = inspect_checkpoint(Value::text(folder.string()), Path("checkpoint"), problems);
  require(checkpoint.has_value() != problems.has_errors(), "an error or a checkpoint");
  check(problems);
  if (!checkpoint) return 0;
  check(checkpoint->notes);
  require(checkpoint->bytes_read <= text.size() + kConfig.size(), "no byte is read twice");
  if (checkpoint->weights) require(checkpoint->weights->bytes <= text.size(), "weights lie in the file");
  if (checkpoint->architecture) require(!checkpoint->architecture->layers.empty(), "layers");
  return 0;
}
