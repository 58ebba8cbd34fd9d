#include <filesystem>
#include <fstream>

#include "quantmap/quantmap.hpp"
#include "support.hpp"

namespace api = quantmap::api;

TEST_CASE("a launch is words that a shell reads back, with what became of each field") {
  const auto launch = api::launch({.engine = "vllm",
                                   .config = R"({"kvcache_dtype": "fp8"})",
                                   .parameters = R"({"served-model-name": "it's"})",
                                   .engine_version = "0.11.0"});
  REQUIRE(launch);
  CHECK(launch.problems.empty());
  CHECK(launch->version == "0.11.0");
  CHECK(launch->decisions.size() == 4);
  const std::string line = api::shell(*launch, {"vllm", "serve", "a model"});
  CHECK(line.rfind("vllm serve 'a model' --dtype auto --kv-cache-dtype fp8", 0) == 0);
  CHECK(line.find(R"(--served-model-name 'it'"'"'s')") != std::string::npos);
}

TEST_CASE("every problem of a query is told at once, and JSON that is none at its place") {
  const auto wrong = api::launch({.engine = "vllm", .config = R"({"gemm_dtype": "fp16", "x": 1})"});
  CHECK_FALSE(wrong);
  CHECK(wrong.problems.size() == 2);
  CHECK(wrong.problems.front().severity == "error");
  const auto text = api::launch({.engine = "vllm", .parameters = "{"});
  REQUIRE(text.problems.size() == 1);
  CHECK(text.problems.front().code == "invalid-json");
  CHECK(text.problems.front().path == "user_parameters");
}

TEST_CASE("files are written into the folder, and nowhere else") {
  const auto launch =
      api::launch({.engine = "tensorrt_llm", .config = R"({"kvcache_dtype": "fp8"})", .engine_version = "1.0.0"});
  REQUIRE(launch);
  REQUIRE(launch->files.size() == 1);
  const auto folder = std::filesystem::temp_directory_path() / "quantmap-embed";
  std::filesystem::create_directories(folder);
  CHECK(api::write_files(*launch, folder.string()));
  std::ifstream in(folder / launch->files.front().name);
  CHECK(std::string(std::istreambuf_iterator<char>(in), {}) == launch->files.front().text);
  std::filesystem::remove_all(folder);
  CHECK_FALSE(api::write_files(*launch, (folder / "none").string()));
  for (const char* name : {"../out", "/tmp/out", "..", "", "a/b"}) {
    api::Launch moved = *launch;
    moved.files.front().name = name;
    CHECK_FALSE(api::write_files(moved, std::filesystem::temp_directory_path().string()));
  }
}

TEST_CASE("a script's launches are judged, and a model's memory is priced") {
  const auto checked =
      api::check({.text = "vllm serve m --kv-cache-dtype fp16 -tp 2\nvllm serve m", .engine_version = "0.11.0"});
  REQUIRE(checked);
  REQUIRE(checked->size() == 2);
  CHECK_FALSE(checked->front().ok());
  CHECK(checked->back().ok());
  CHECK(checked->back().line == 2);
  const auto wrong = api::check({.text = "vllm serve m", .gpu = "no such card"});
  CHECK(wrong->empty());
  CHECK(wrong.problems.back().code == "unknown-gpu");
  const auto fit =
      api::fit({.engine = "vllm", .checkpoint = "Qwen/Qwen3-8B", .gpu = "H100", .engine_version = "0.11.0"});
  REQUIRE(fit);
  CHECK(fit->verdict == "fits");
  CHECK(fit->weight_bytes > 15'000'000'000U);
  CHECK_FALSE(api::fit({.engine = "vllm", .checkpoint = "/no/such/folder", .gpu = "H100"}));
}
