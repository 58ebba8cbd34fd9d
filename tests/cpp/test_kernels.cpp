// Kernel tables: what the releases' own sources say of backends, GPUs, KV caches and types.
#include "quantmap/deployment/kernels.hpp"

#include <algorithm>

#include "quantmap/config/checkpoint_kind.hpp"
#include "support.hpp"

namespace quantmap {

namespace {

ReleaseNumber release_of(const Engine& engine, std::string_view version) {
  const auto& releases = engine.surface.releases;
  const auto found = std::find_if(releases.begin(), releases.end(),
                                  [version](const Release& release) { return release.version == version; });
  REQUIRE(found != releases.end());
  return static_cast<ReleaseNumber>(found - releases.begin());
}

std::size_t gpu_of(std::string_view id) {
  const auto& classes = catalog().gpu_classes;
  const auto found = std::find_if(classes.begin(), classes.end(), [id](const GpuClass& item) { return item.id == id; });
  REQUIRE(found != classes.end());
  return static_cast<std::size_t>(found - classes.begin());
}

int dtype_of(const Engine& engine, std::string_view id) {
  const auto& dtypes = engine.kernels.dtypes;
  return static_cast<int>(std::find(dtypes.begin(), dtypes.end(), id) - dtypes.begin());
}

struct Case {
  std::string_view version;
  std::string_view gpu;
  ModelKind model;
  std::int64_t head_size;
  std::string_view kv;
};

KernelQuery query_of(const Engine& engine, const Case& item) {
  KernelQuery out;
  out.release = release_of(engine, item.version);
  out.gpu = item.gpu.empty() ? 0 : gpu_of(item.gpu);
  out.model = static_cast<std::size_t>(item.model);
  out.head_size = item.head_size;
  out.kv = item.kv;
  return out;
}

const Engine& vllm() { return *find_engine("vllm"); }

Fits fits(std::string_view backend, const Case& item) {
  const AttentionBackend* found = find_backend(vllm(), backend);
  REQUIRE(found != nullptr);
  return ask_backend(vllm(), query_of(vllm(), item), *found).value_or(BackendAnswer{}).fits;
}

std::string chosen(const Case& item) {
  const auto choice = choose_attention(vllm(), query_of(vllm(), item));
  if (!choice) return "unknown";
  return choice->taken ? std::string(choice->tried[*choice->taken].backend->name) : "none";
}

}  // namespace

TEST_CASE("a named backend is asked by the release's own predicates") {
  constexpr ModelKind kHeads = ModelKind::kHeads;
  constexpr ModelKind kMla = ModelKind::kMla;
  // flash_attn.py, FlashAttentionBackend.supports_kv_cache_dtype; triton_attn.py, TritonAttentionImpl.__init__
  CHECK(fits("FLASH_ATTN", {"0.33.0", "sm90", kHeads, 128, "fp8"}) == Fits::kYes);
  CHECK(fits("FLASH_ATTN", {"0.33.0", "sm80", kHeads, 128, "fp8"}) == Fits::kNo);
  CHECK(fits("FLASH_ATTN", {"0.33.0", "sm75", kHeads, 128, "auto"}) == Fits::kNo);
  CHECK(fits("FLASH_ATTN", {"0.20.0", "sm100", kHeads, 128, "fp8"}) == Fits::kNo);
  CHECK(fits("TRITON_ATTN", {"0.33.0", "sm89", kHeads, 128, "fp8"}) == Fits::kYes);
  CHECK(fits("TRITON_ATTN", {"0.33.0", "sm80", kHeads, 128, "fp8"}) == Fits::kNo);
  CHECK(fits("TRITON_ATTN", {"0.33.0", "sm80", kHeads, 128, "int8_per_token_head"}) == Fits::kYes);
  CHECK(fits("FLASHINFER", {"0.33.0", "sm80", kHeads, 96, "auto"}) == Fits::kNo);
  CHECK(fits("FLASHINFER", {"0.33.0", "sm80", kHeads, 64, "nvfp4"}) == Fits::kNo);
  CHECK(fits("FLASHINFER", {"0.33.0", "sm80", kHeads, 128, "nvfp4"}) == Fits::kYes);
  // Latent attention and attention by heads do not share backends.
  CHECK(fits("FLASH_ATTN", {"0.33.0", "sm90", kMla, 576, "auto"}) == Fits::kNo);
  CHECK(fits("FLASHMLA", {"0.33.0", "sm90", kHeads, 128, "auto"}) == Fits::kNo);
  CHECK(fits("FLASHMLA", {"0.33.0", "sm90", kMla, 576, "fp8"}) == Fits::kYes);
  CHECK(fits("TRITON_MLA", {"0.13.0", "sm80", kMla, 576, "fp8"}) == Fits::kNo);
  // Names without code, and those of other platforms.
  CHECK(fits("TORCH_SDPA", {"0.33.0", "sm90", kHeads, 128, "auto"}) == Fits::kNo);
  CHECK(fits("ROCM_ATTN", {"0.33.0", "sm90", kHeads, 128, "auto"}) == Fits::kNo);
}

TEST_CASE("what is not known refuses nothing") {
  constexpr ModelKind kHeads = ModelKind::kHeads;
  CHECK(fits("FLASH_ATTN", {"0.33.0", "", kHeads, 128, "fp8"}) == Fits::kDepends);
  CHECK(fits("FLASHMLA", {"0.33.0", "sm90", ModelKind::kUnknown, 0, "auto"}) == Fits::kDepends);
  CHECK(fits("FLASHINFER", {"0.33.0", "sm80", kHeads, 0, "auto"}) == Fits::kYes);
  CHECK(fits("FLASHINFER", {"0.33.0", "sm80", kHeads, 0, "nvfp4"}) == Fits::kDepends);
  CHECK(fits("FLASHINFER", {"0.33.0", "sm80", kHeads, 97, "auto"}) == Fits::kYes);  // not asked for by the extraction
  // Forgetting a fact never turns a yes into a no, for any backend of any release.
  const Engine& engine = vllm();
  for (const AttentionBackend& backend : engine.kernels.backends) {
    for (const BackendInterval& interval : backend.intervals) {
      for (std::size_t gpu = 1; gpu < catalog().gpu_classes.size(); ++gpu) {
        for (const std::string_view kv : {"auto", "fp8", "bfloat16"}) {
          for (int dtype = 0; dtype < 3; ++dtype) {
            KernelQuery query{interval.since, gpu, 1, 128, true, dtype, kv};
            const Fits known = ask_backend(engine, query, backend)->fits;
            if (known == Fits::kNo) continue;
            for (int forget = 0; forget < 5; ++forget) {
              KernelQuery less = query;
              if (forget == 0) less.gpu = 0;
              if (forget == 1) less.model = 0;
              if (forget == 2) less.head_size = 0;
              if (forget == 3) less.sinks = std::nullopt;
              if (forget == 4) less.dtype = -1;
              CHECK(ask_backend(engine, less, backend)->fits != Fits::kNo);
            }
          }
        }
      }
    }
  }
}

TEST_CASE("the backend that a release takes by itself") {
  constexpr ModelKind kHeads = ModelKind::kHeads;
  constexpr ModelKind kMla = ModelKind::kMla;
  // platforms/cuda.py, _get_backend_priorities
  CHECK(chosen({"0.33.0", "sm90", kHeads, 128, "auto"}) == "FLASH_ATTN");
  CHECK(chosen({"0.33.0", "sm100", kHeads, 128, "auto"}) == "FLASHINFER");
  CHECK(chosen({"0.33.0", "sm80", kHeads, 128, "fp8"}) == "FLASHINFER");
  CHECK(chosen({"0.33.0", "sm75", kHeads, 128, "auto"}) == "TRITON_ATTN");
  CHECK(chosen({"0.33.0", "sm90", kHeads, 128, "int8_per_token_head"}) == "TRITON_ATTN");
  CHECK(chosen({"0.33.0", "sm90", kMla, 576, "auto"}) == "FLASH_ATTN_MLA");
  CHECK(chosen({"0.33.0", "sm90", kMla, 576, "fp8"}) == "FLASHMLA");
  CHECK(chosen({"0.33.0", "sm120", kMla, 576, "auto"}) == "TRITON_MLA");
  CHECK(chosen({"0.33.0", "sm100", kMla, 576, "fp8"}) == "FLASHINFER_MLA");
  CHECK(chosen({"0.13.0", "sm100", kMla, 576, "auto"}) == "CUTLASS_MLA");
  CHECK(chosen({"0.33.0", "sm90", kMla, 576, "int8_per_token_head"}) == "none");
  CHECK(chosen({"0.33.0", "sm80", kMla, 576, "fp8"}) == "none");
  CHECK(chosen({"0.33.0", "", kHeads, 128, "auto"}) == "unknown");
}

TEST_CASE("a refusal names the target it is about, and every candidate's reason") {
  const Engine& engine = vllm();
  const KernelRoles& roles = engine.kernels.roles;
  Deployment deployment;
  deployment.checked = true;
  deployment.release = release_of(engine, "0.33.0");
  deployment.gpu = gpu_of("sm80");
  deployment.model = static_cast<std::size_t>(ModelKind::kMla);
  deployment.head_size = 576;
  TargetValues values(engine.checked.targets.size());
  const auto at = [&values](std::int8_t role) -> std::string& { return values[static_cast<std::size_t>(role)]; };
  CHECK_FALSE(refused_by_kernels(engine, deployment, values).has_value());
  at(roles.kv) = "fp8";
  auto refusal = refused_by_kernels(engine, deployment, values);
  REQUIRE(refusal.has_value());
  CHECK(refusal->target == static_cast<std::size_t>(roles.kv));
  const KernelReason reason = reason_of(engine, deployment, values, *refusal);
  CHECK(reason.text.find("TRITON_MLA: it does not take the KV cache type fp8") != std::string::npos);
  CHECK(reason.text.find("the others are for other GPUs or other attention") != std::string::npos);
  CHECK_FALSE(reason.evidence.empty());
  at(roles.attention) = "flash_attn";
  refusal = refused_by_kernels(engine, deployment, values);
  REQUIRE(refusal.has_value());
  CHECK(refusal->target == static_cast<std::size_t>(roles.attention));
  CHECK(reason_of(engine, deployment, values, *refusal).evidence.front() ==
        "vllm-0.33.0.tar.gz vllm/v1/attention/backends/flash_attn.py, FlashAttentionBackend");
  // Methods: the least GPU and the types that a method's own class names.
  values.assign(values.size(), "");
  at(roles.method) = "fp_quant";
  refusal = refused_by_kernels(engine, deployment, values);
  REQUIRE(refusal.has_value());
  CHECK(reason_of(engine, deployment, values, *refusal).text == "fp_quant needs compute capability 10.0 or newer");
  at(roles.method) = "mxfp8";
  CHECK_FALSE(refused_by_kernels(engine, deployment, values).has_value());
  at(roles.dtype) = "float16";
  CHECK_FALSE(refused_by_kernels(engine, deployment, values).has_value());  // of an unquantized model it is "online"
  deployment.checkpoint = find_checkpoint_kind("fp8");
  refusal = refused_by_kernels(engine, deployment, values);
  REQUIRE(refusal.has_value());
  CHECK(reason_of(engine, deployment, values, *refusal).text == "mxfp8 takes no float16 model");
  CHECK(kernel_query(engine, deployment, values).dtype == dtype_of(engine, "float16"));
}

TEST_CASE("a named backend for experts has to have their scheme") {
  const Engine& engine = vllm();
  const KernelRoles& roles = engine.kernels.roles;
  Deployment deployment;
  deployment.checked = true;
  deployment.release = release_of(engine, "0.33.0");
  deployment.gpu = gpu_of("sm90");
  TargetValues values(engine.checked.targets.size());
  const auto refused = [&](std::string_view backend) {
    values[static_cast<std::size_t>(roles.experts)] = backend;
    return refused_by_kernels(engine, deployment, values).has_value();
  };
  CHECK_FALSE(refused("hpc"));  // not known to have experts
  deployment.experts = true;
  CHECK(refused("hpc"));
  CHECK(refused("Aiter_mega_moe"));
  CHECK_FALSE(refused("marlin"));  // stands for none named
  CHECK_FALSE(refused("triton"));
  CHECK_FALSE(refused("auto"));
  const auto refusal = refused_by_kernels(engine, deployment, (refused("hpc"), values));
  CHECK(reason_of(engine, deployment, values, *refusal).text ==
        "hpc has no kernel for unquantized experts on sm90; known to work: batched_triton, flashinfer_cutlass, "
        "humming, marlin, triton");
  values[static_cast<std::size_t>(roles.method)] = "fp8";
  CHECK_FALSE(refused("marlin"));
  CHECK(refused("cutlass"));  // the method does not allow it
  values[static_cast<std::size_t>(roles.method)] = "fp8_per_channel";
  CHECK_FALSE(refused("cutlass"));
  deployment.gpu = gpu_of("sm80");
  CHECK(refused("cutlass"));
}

TEST_CASE("before there were predicates, the function that chooses was asked") {
  constexpr ModelKind kHeads = ModelKind::kHeads;
  constexpr ModelKind kMla = ModelKind::kMla;
  CHECK(fits("TRITON_MLA", {"0.11.0", "sm80", kMla, 576, "fp8"}) == Fits::kNo);
  CHECK(fits("TRITON_MLA", {"0.11.0", "sm80", kMla, 576, "auto"}) == Fits::kYes);
  CHECK(fits("FLASH_ATTN", {"0.11.0", "sm90", kMla, 576, "auto"}) == Fits::kNo);
  CHECK(fits("FLASH_ATTN", {"0.11.0", "sm80", kHeads, 128, "fp8"}) == Fits::kNo);
  CHECK(chosen({"0.11.0", "sm90", kMla, 576, "auto"}) == "FLASHMLA");
  CHECK(chosen({"0.11.0", "sm75", kHeads, 128, "auto"}) == "FLEX_ATTENTION");
  CHECK(chosen({"0.10.2", "sm90", kHeads, 128, "auto"}) == "unknown");  // not read
}

}  // namespace quantmap
