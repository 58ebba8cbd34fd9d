// Whose hardware a launch runs on.
#include <algorithm>

#include "judge_launch.hpp"
#include "quantmap/release/gpu.hpp"

namespace quantmap {

namespace {

// Whose hardware a value means that names an attention backend of no NVIDIA GPU.
const OtherMaker* maker_by_backend(const FoundLaunch& launch, const Engine& engine) {
  const auto names = [&engine](std::string_view value) -> const OtherMaker* {
    for (const AttentionBackend& backend : engine.kernels.backends) {
      if (backend.name != value || backend.intervals.empty()) continue;
      const std::string_view platform = backend.intervals.back().platform;
      const OtherMaker* maker = platform.empty() ? nullptr : other_maker(platform);
      return platform.empty() || maker != nullptr ? maker : other_maker(value);
    }
    return nullptr;
  };
  for (const EnvironmentVariable& variable : launch.variables) {
    if (const OtherMaker* maker = names(variable.value.text); maker != nullptr) return maker;
  }
  for (const Word& word : launch.words) {
    const std::size_t mark = word.text.rfind("--", 0) == 0 ? word.text.find('=') + 1 : 0;
    if (const OtherMaker* maker = names(std::string_view(word.text).substr(mark)); maker != nullptr) return maker;
  }
  return nullptr;
}

}  // namespace

// Who makes what the launch runs on, when that is not NVIDIA.
const OtherMaker* platform_of(const FoundLaunch& launch, const Engine& engine, const CheckRequest& request) {
  const OtherMaker* maker = launch.maker;
  const Value& gpu = request.gpu;
  const bool is_open = maker == nullptr && gpu.is_null() && request.default_gpu.empty();
  if (is_open) maker = maker_by_backend(launch, engine);
  if (gpu.is_text()) {
    if (const OtherMaker* named = other_maker(gpu.as_text()); named != nullptr) maker = named;
  }
  const bool own =
      maker != nullptr && std::find(engine.makers.begin(), engine.makers.end(), maker->maker) != engine.makers.end();
  return own ? nullptr : maker;
}

}  // namespace quantmap
