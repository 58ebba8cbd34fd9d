"""Whether a model fits: against published numbers, a plain calculation, and its own promises."""

from __future__ import annotations

from typing import Any

import pytest
import quantmap
from hypothesis import given, settings
from hypothesis import strategies as st
from quantmap import estimate, gpu_info

from tests.python.published_models import LLAMA, SHAPES, TABLE

VLLM = "vllm@0.13.0"
FP8 = {"gemm_dtype": "fp8"}


def test_enough_models_are_published() -> None:
    models = TABLE.MODELS
    assert sum(m.kv_bytes is not None and m.parameters is not None for m in models) >= 10
    assert len({m.kv_source for m in models}) > 3
    for model in models:
        assert (model.kv_bytes is None) == (model.kv_source == "")
        assert (model.parameters is None) == (model.parameters_source == "")


@pytest.mark.parametrize("model", TABLE.MODELS, ids=lambda model: model.short)
def test_published_numbers(model: Any) -> None:
    fit = estimate(model.config, engine=VLLM)
    if model.kv_bytes is not None:
        assert fit.kv_token_bytes == model.kv_bytes
    if model.parameters is not None:
        assert fit.parameters / 1e9 == pytest.approx(model.parameters, rel=0.005)


# A plain calculation of the same, for decoders with grouped heads


def plain(config: dict[str, Any], tp: int, weight_bits: int) -> tuple[float, float]:
    """Weight bytes and KV bytes per token of one GPU; `weight_bits` is of linear layers."""
    hidden, layers = config["hidden_size"], config["num_hidden_layers"]
    heads, kv = config["num_attention_heads"], config["num_key_value_heads"]
    size = config.get("head_dim", hidden // heads)
    own_kv = max(1, -(-kv // tp))
    attention = hidden * size * (2 * heads / tp + 2 * own_kv)
    mlp = 3 * hidden * config["intermediate_size"] / tp
    vocabulary = config["vocab_size"] * hidden / tp
    embeddings = vocabulary * (1 if config["tie_word_embeddings"] else 2)
    linear = layers * (attention + mlp)
    norms = layers * 2 * hidden + hidden
    return linear * weight_bits / 8 + (embeddings + norms) * 2, layers * own_kv * size * 2 * 2


dense = st.builds(
    lambda layers, kv, group, size, ratio, vocabulary, tied: {
        **LLAMA,
        "num_hidden_layers": layers,
        "num_key_value_heads": kv,
        "num_attention_heads": kv * group,
        "head_dim": size,
        "hidden_size": kv * group * 64,
        "intermediate_size": ratio * 128,
        "vocab_size": vocabulary * 64,
        "tie_word_embeddings": tied,
    },
    *(st.integers(1, 90), st.sampled_from([1, 2, 4, 8, 16]), st.integers(1, 8)),
    *(st.sampled_from([64, 80, 128, 256]), st.integers(1, 200), st.integers(1, 4000)),
    st.booleans(),
)


@settings(max_examples=150, deadline=None)
@given(config=dense, tp=st.sampled_from([1, 2, 4, 8, 16]), fp8=st.booleans())
def test_like_a_plain_calculation(config: dict[str, Any], tp: int, fp8: bool) -> None:
    fit = estimate(config, FP8 if fp8 else None, tp=tp, engine=VLLM, gpu="H100")
    weights, kv = plain(config, tp, 8 if fp8 else 16)
    assert fit.weight_bytes == pytest.approx(weights, abs=1)
    assert fit.kv_token_bytes == kv


def test_kv_heads_are_never_divided() -> None:
    per_gpu = [estimate(LLAMA, tp=tp, engine=VLLM).kv_token_bytes for tp in (1, 2, 4, 8, 16, 32)]
    assert per_gpu == [131072, 65536, 32768, 16384, 16384, 16384]
    shared = estimate(LLAMA, tp=16, engine=VLLM)
    assert "8 KV heads on 16 GPUs: each GPU keeps a whole one" in shared.assumptions


def test_the_latent_vector_of_mla_is_whole_on_each_gpu() -> None:
    sizes = {estimate(SHAPES["DeepSeek-V3"], tp=tp, engine=VLLM).kv_token_bytes for tp in (1, 8)}
    assert sizes == {(512 + 64) * 61 * 2}


def test_multi_query_attention() -> None:
    one = {**LLAMA, "num_key_value_heads": 1}
    assert estimate(one, engine=VLLM).kv_token_bytes == 32 * 2 * 128 * 2


def test_sliding_layers_keep_their_window() -> None:
    shape = SHAPES["gpt-oss-20b"]
    per_layer = 2 * 8 * 64 * 2
    long = estimate(shape, engine=VLLM, context=100_000)
    assert long.kv_token_bytes == 12 * per_layer
    assert long.kv_window_bytes == 12 * per_layer * 128
    # Blocks of 16 tokens, twelve layers each: of the full layers all, of the sliding ones the
    # window and a step, and one block more since a window may begin inside one.
    blocks = -(-100_000 // 16) + -(-(127 + long.batched_tokens) // 16) + 1
    assert long.kv_needed_bytes == 12 * per_layer * 16 * blocks
    short = estimate(shape, engine=VLLM, context=100)
    assert short.kv_needed_bytes == 12 * per_layer * 16 * (7 + 8)
    assert any("last 128 tokens" in text for text in long.assumptions)
    before = estimate(shape, engine="vllm@0.9.2", context=100_000)
    assert before.kv_token_bytes == 24 * per_layer and before.kv_window_bytes == 0
    pools = estimate(shape, engine="sglang@0.5.18", context=100_000)
    assert pools.kv_token_bytes == 12 * per_layer
    assert pools.kv_needed_bytes == pytest.approx(12 * per_layer * 1.8 * 100_000, rel=1e-6)


def test_layers_with_a_state_keep_no_tokens() -> None:
    kinds = ["linear_attention", "linear_attention", "linear_attention", "full_attention"] * 8
    fit = estimate({**LLAMA, "layer_types": kinds}, engine=VLLM)
    assert fit.kv_token_bytes == 131072 / 4
    assert any(text.startswith("24 layers with a state") for text in fit.assumptions)
    sizes = {
        "linear_num_key_heads": 16,
        "linear_num_value_heads": 32,
        "linear_key_head_dim": 128,
        "linear_value_head_dim": 128,
        "linear_conv_kernel_dim": 4,
        "mamba_ssm_dtype": "float32",
    }
    known = estimate({**LLAMA, "layer_types": kinds, **sizes}, engine=VLLM)
    one = (2 * 16 * 128 + 32 * 128) * 3 * 2 + 32 * 128 * 128 * 4
    assert known.state_bytes == 24 * one
    assert any(text.startswith("24 layers keep a state") for text in known.assumptions)
    halves = estimate({**LLAMA, "layer_types": kinds, **sizes}, engine=VLLM, tp=2)
    assert halves.state_bytes == 12 * one


def test_stages_share_the_layers() -> None:
    whole = estimate(LLAMA, engine=VLLM)
    halves = estimate(LLAMA, pp=2, engine=VLLM)
    assert halves.kv_token_bytes == whole.kv_token_bytes / 2
    vocabulary = LLAMA["vocab_size"] * LLAMA["hidden_size"] * 2
    assert halves.weight_bytes == pytest.approx(whole.weight_bytes / 2, rel=0.001)
    assert halves.weight_bytes > vocabulary
    thirds = estimate(LLAMA, pp=3, engine=VLLM)
    assert thirds.kv_token_bytes == whole.kv_token_bytes * 11 / 32


def test_experts_shrink_with_the_rest_and_routers_do_not() -> None:
    shape = SHAPES["Mixtral-8x7B-v0.1"]
    sixteen = estimate(shape, engine=VLLM)
    eight = estimate(shape, FP8, engine=VLLM, gpu="H100")
    kept = 2 * 32000 * 4096 + 32 * (2 * 4096 + 8 * 4096) + 4096
    assert sixteen.weight_bytes - eight.weight_bytes == sixteen.parameters - kept
    assert any("experts with 8" in text for text in eight.assumptions)


@pytest.mark.parametrize(
    ("engine", "config", "bits"),
    [
        (VLLM, None, 16),
        (VLLM, {"kvcache_dtype": "fp8_e4m3"}, 8),
        (VLLM, {"kvcache_dtype": "int8"}, 16),  # there is no INT8 cache in this release
        ("vllm@0.20.1", {"kvcache_dtype": "int8"}, 8),
        ("vllm@0.13.0", {"gemm_dtype": "float32"}, 32),
        ("sglang@0.5.2", {"kvcache_dtype": "fp8"}, 8),
        ("sglang@0.5.2", {"kvcache_dtype": "int4"}, 16),
        ("tensorrt_llm@1.1.0", {"kvcache_dtype": "fp8_e5m2"}, 8),
        ("sglang-jax", {"kvcache_dtype": "fp8"}, 16),
    ],
)
def test_kv_bits_are_what_the_release_stores(
    engine: str, config: dict[str, Any] | None, bits: int
) -> None:
    fit = estimate(LLAMA, config, engine=engine)
    assert fit.kv_bits == bits
    scales = 8 if config == {"kvcache_dtype": "int8"} and bits == 8 else 0
    assert fit.kv_token_bytes == 32 * 2 * 8 * (128 * bits / 8 + scales / 2)


def test_the_release_decides_about_weights() -> None:
    dropped = estimate(LLAMA, FP8, engine="tensorrt_llm@1.1.0")
    assert dropped.weight_bytes == estimate(LLAMA, engine="tensorrt_llm@1.1.0").weight_bytes
    assert dropped.diagnostics


# A GPU's memory


ENGINES = ("vllm@0.13.0", "vllm", "sglang@0.5.18", "tensorrt_llm@1.1.0")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("gpu", ["L4", "L40S", "H100", "B200"])
def test_memory_adds_up(engine: str, gpu: str) -> None:
    fit = estimate(LLAMA, engine=engine, gpu=gpu)
    parts = fit.weight_bytes + fit.activation_bytes + fit.kv_budget_bytes + fit.kept_free_bytes
    assert fit.memory_bytes == gpu_info(gpu).memory_bytes
    # What CUDA reports is less than what the driver does.
    assert 0.3e9 < fit.memory_bytes - fit.cuda_bytes < 1.2e9
    assert parts + fit.graph_bytes == pytest.approx(fit.cuda_bytes, abs=4)
    assert (fit.graph_bytes > 0) == (fit.engine == "vllm" and fit.version != "0.13.0")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", ["Meta-Llama-3-8B", "gpt-oss-20b", "Qwen3-30B-A3B"])
def test_the_longest_context_is_the_longest(engine: str, name: str) -> None:
    many: dict[str, Any] = {"engine": engine, "gpu": "A100-40GB", "concurrency": 24, "tp": 2}
    fit = estimate(SHAPES[name], context=10**7, **many)
    assert fit.verdict == "fits-with-less-context" and 0 < fit.longest_context < 10**7
    assert estimate(SHAPES[name], context=fit.longest_context, **many).verdict == "tight"
    more = estimate(SHAPES[name], context=fit.longest_context + 1, **many)
    assert more.longest_context == fit.longest_context and not more.fits


def test_sequences_are_those_that_fit() -> None:
    fit = estimate(LLAMA, engine=VLLM, gpu="H100", context=8192)
    assert fit.sequences == fit.kv_budget_bytes // fit.kv_needed_bytes
    careful, hopeful = fit.tokens_band
    assert careful < fit.tokens < hopeful
    at_once = {"engine": VLLM, "gpu": "H100", "context": 8192}
    assert estimate(LLAMA, concurrency=fit.sequences, **at_once).fits
    assert not estimate(LLAMA, concurrency=fit.sequences + 1, **at_once).fits
    assert fit.tokens // 8192 == fit.sequences


def test_what_does_not_fit() -> None:
    fit = estimate(SHAPES["Meta-Llama-3-70B"], engine=VLLM, gpu="H100")
    assert (fit.verdict, fit.tokens, fit.longest_context) == ("does-not-fit", 0, 0)
    assert fit.weight_bytes > (fit.memory_bytes or 0)


def test_without_a_gpu_there_is_no_verdict() -> None:
    fit = estimate(LLAMA, engine=VLLM)
    assert (fit.verdict, fit.gpu, fit.memory_bytes, fit.tokens) == ("unknown", None, None, 0)
    assert fit.weight_bytes > 0 and fit.kv_needed_bytes > 0


def test_fractions() -> None:
    usual = estimate(LLAMA, engine=VLLM, gpu="H100")
    assert usual.memory_fraction == 0.9  # the default of that release, from its surface
    assert estimate(LLAMA, engine="vllm@0.20.1", gpu="H100").memory_fraction == 0.92
    asked = estimate(LLAMA, engine=VLLM, gpu="H100", memory_fraction=0.5)
    by_flag = estimate(
        LLAMA, engine=VLLM, gpu="H100", user_parameters={"gpu_memory_utilization": 0.5}
    )
    assert asked.memory_fraction == by_flag.memory_fraction == 0.5
    assert asked.kv_budget_bytes == by_flag.kv_budget_bytes < usual.kv_budget_bytes
    sglang = estimate(LLAMA, engine="sglang@0.5.18", gpu="H100")
    assert 0.8 < sglang.memory_fraction < 0.9
    assert any("MiB free for activations" in text for text in sglang.assumptions)
    share = estimate(LLAMA, engine="sglang@0.5.18", gpu="H100", memory_fraction=0.5)
    free = (share.kv_budget_bytes + share.weight_bytes) * 2
    assert 0.3e9 < share.cuda_bytes - free < 2e9  # what the CUDA context takes


def test_sizes_of_a_unified_config_count() -> None:
    config = {"quantization": {"method": "none"}, "parallelism": {"tensor_parallel_size": 2}}
    assert estimate(LLAMA, config, engine=VLLM).tp == 2
    assert estimate(LLAMA, config, engine=VLLM, tp=4).tp == 4


def test_what_it_rests_on_is_said() -> None:
    fit = estimate(LLAMA, gpu="H100")
    text = "\n".join(fit.assumptions)
    for words in ("no release is named", "counted from the config", "several sizes", "CUDA graphs"):
        assert words in text
    assert fit.version in text
    named = estimate(LLAMA, engine=VLLM, gpu="RTX 4080")
    assert "no release is named" not in "\n".join(named.assumptions)
    assert "GPU memory: 10^9 bytes for each GB sold" in named.assumptions


def test_what_is_refused_has_no_cure_of_memory() -> None:
    """More GPUs do not help where nothing can be served, nor does a size that is refused."""
    fp8 = "Qwen/Qwen3-30B-A3B-FP8"
    served = estimate(fp8, engine=VLLM, gpu="V100")
    assert (served.verdict, served.cures) == ("refused", [])
    short = estimate(fp8, engine=VLLM, engine_version="0.20.0", gpu="RTX 4080", context=4096)
    assert short.verdict == "does-not-fit"
    for cure in short.cures:
        if cure.startswith("--tensor-parallel-size"):
            tp = int(cure.split()[1])
            cured = estimate(
                fp8, engine=VLLM, engine_version="0.20.0", gpu="RTX 4080", context=4096, tp=tp
            )
            assert cured.verdict != "refused"


def test_heads_that_do_not_divide_are_said() -> None:
    codes = [d.code for d in estimate(LLAMA, tp=3, engine=VLLM).diagnostics]
    assert "uneven-parallelism" in codes
    for tp in (1, 2, 8, 32):
        codes = [d.code for d in estimate(LLAMA, tp=tp, engine=VLLM).diagnostics]
        assert "uneven-parallelism" not in codes


@pytest.mark.parametrize(
    ("keywords", "code", "path"),
    [
        ({"tp": 0}, "out-of-range", "tp"),
        ({"tp": -1}, "out-of-range", "tp"),
        ({"tp": 10**30}, "out-of-range", "tp"),
        ({"tp": "2"}, "wrong-type", "tp"),
        ({"tp": True}, "wrong-type", "tp"),
        ({"pp": 0}, "out-of-range", "pp"),
        ({"context": 0}, "out-of-range", "context"),
        ({"context": 1.5}, "wrong-type", "context"),
        ({"concurrency": 0}, "out-of-range", "concurrency"),
        ({"memory_fraction": 0}, "out-of-range", "memory_fraction"),
        ({"memory_fraction": 1.01}, "out-of-range", "memory_fraction"),
        ({"memory_fraction": float("nan")}, "out-of-range", "memory_fraction"),
        ({"memory_fraction": "0.5"}, "wrong-type", "memory_fraction"),
        ({"gpu": "9.0"}, "gpu-memory-unknown", "gpu"),
        ({"gpu": "MI300X"}, "not-an-nvidia-gpu", "gpu"),
        ({"engine": "llama.cpp"}, "unknown-engine", "runtime"),
        ({"engine_version": "0.0.1"}, "version-too-old", "engine_version"),
        ({"config": {"preset": "x"}}, "unknown-preset", "$.preset"),
        ({"checkpoint": {}}, "model-shape-unknown", "checkpoint"),
        ({"checkpoint": {"num_hidden_layers": 0}}, "model-shape-unknown", "checkpoint"),
    ],
)
def test_mistakes(keywords: dict[str, Any], code: str, path: str) -> None:
    call = {"checkpoint": LLAMA, **keywords}
    with pytest.raises(quantmap.ConfigError) as caught:
        estimate(call.pop("checkpoint"), call.pop("config", None), **call)
    assert (code, path) in [(d.code, d.path) for d in caught.value.diagnostics]


numbers = st.one_of(
    st.integers(-(2**70), 2**70), st.floats(), st.booleans(), st.none(), st.text(max_size=5)
)


@settings(max_examples=300, deadline=None)
@given(
    changes=st.dictionaries(st.sampled_from([*LLAMA, *SHAPES["DeepSeek-V3"]]), numbers, max_size=6),
    tp=st.integers(1, 2**20),
    context=st.integers(1, 10**12),
)
def test_any_shape_gives_numbers_or_a_config_error(
    changes: dict[str, Any], tp: int, context: int
) -> None:
    try:
        fit = estimate({**LLAMA, **changes}, tp=tp, context=context, engine=VLLM, gpu="H100")
    except quantmap.ConfigError:
        return
    assert min(fit.weight_bytes, fit.kv_budget_bytes, fit.tokens, fit.sequences) >= 0
    assert 0 <= fit.longest_context <= context
    assert fit.verdict == "refused" or fit.fits == (fit.longest_context == context)
