"""Named models: the numbers of their configs, and what others have published about them.

Only architecture facts, in the spelling of a config.json; each config stands at
https://huggingface.co/NAME.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

DEEPSEEK = "https://arxiv.org/abs/2505.09343"  # table 1
LLAMA_CPP = "https://huggingface.co/dranger003/c4ai-command-r-v01-iMat.GGUF/discussions/6"
GALLERY = "https://sebastianraschka.com/llm-architecture-gallery/"
PAGED_ATTENTION = "https://arxiv.org/abs/2309.06180"
GPT_OSS = "https://arxiv.org/abs/2508.10925"


@dataclass(frozen=True)
class Model:
    """A model's shape; published parameters in 10^9 and KV-cache bytes per token with 16 bits."""

    name: str
    config: dict[str, Any]
    parameters: float | None = None
    parameters_source: str = ""
    kv_bytes: int | None = None
    kv_source: str = ""

    @property
    def short(self) -> str:
        """The name without its owner."""
        return self.name.rpartition("/")[2]


def shape(
    model_type: str,
    layers: int,
    hidden: int,
    intermediate: int,
    heads: int,
    kv_heads: int,
    vocabulary: int,
    context: int,
    **more: Any,
) -> dict[str, Any]:
    """A config with the keys that most families share."""
    return {
        "model_type": model_type,
        "num_hidden_layers": layers,
        "hidden_size": hidden,
        "intermediate_size": intermediate,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "vocab_size": vocabulary,
        "max_position_embeddings": context,
        "tie_word_embeddings": False,
        **more,
    }


def page(name: str) -> str:
    """The page of a model."""
    return f"https://huggingface.co/{name}"


def qwen3_moe(layers: int, hidden: int, heads: int, kv_heads: int, experts: int) -> dict[str, Any]:
    """A mixture of 128 experts as Qwen3 has them."""
    return shape(
        *("qwen3_moe", layers, hidden, 0, heads, kv_heads, 151936, 40960),
        head_dim=128,
        num_experts=128,
        num_experts_per_tok=8,
        moe_intermediate_size=experts,
    )


def gpt_oss(layers: int, experts: int) -> dict[str, Any]:
    """Sliding and full attention in turns, experts in every layer."""
    return shape(
        *("gpt_oss", layers, 2880, 2880, 64, 8, 201088, 131072),
        head_dim=64,
        num_local_experts=experts,
        num_experts_per_tok=4,
        sliding_window=128,
        layer_types=["sliding_attention", "full_attention"] * (layers // 2),
    )


DEEPSEEK_V3 = shape(
    *("deepseek_v3", 61, 7168, 18432, 128, 128, 129280, 163840),
    q_lora_rank=1536,
    kv_lora_rank=512,
    qk_rope_head_dim=64,
    qk_nope_head_dim=128,
    v_head_dim=128,
    n_routed_experts=256,
    n_shared_experts=1,
    num_experts_per_tok=8,
    moe_intermediate_size=2048,
    first_k_dense_replace=3,
)
GPT2_XL = {
    "model_type": "gpt2",
    "n_layer": 48,
    "n_embd": 1600,
    "n_inner": 6400,
    "n_head": 25,
    "n_positions": 1024,
    "vocab_size": 50257,
}

MODELS = [
    Model(
        "meta-llama/Llama-3.2-1B",
        shape(
            *("llama", 16, 2048, 8192, 32, 8, 128256, 131072),
            head_dim=64,
            tie_word_embeddings=True,
        ),
        *(1.24, page("meta-llama/Llama-3.2-1B"), 32 * 1024, GALLERY),
    ),
    Model(
        "openai-community/gpt2-xl",
        GPT2_XL,
        *(1.558, "https://github.com/openai/gpt-2", 300 * 1024, GALLERY),
    ),
    Model(
        "allenai/OLMo-2-1124-7B",
        shape("olmo2", 32, 4096, 11008, 32, 32, 100352, 4096),
        *(7.3, page("allenai/OLMo-2-1124-7B"), 512 * 1024, GALLERY),
    ),
    Model(
        "meta-llama/Meta-Llama-3-8B",
        shape("llama", 32, 4096, 14336, 32, 8, 128256, 8192),
        *(8.03, page("meta-llama/Meta-Llama-3-8B"), 256 * 2**20 // 2048, LLAMA_CPP),
    ),
    Model(
        "facebook/opt-13b",
        shape("opt", 40, 5120, 20480, 40, 40, 50272, 2048, tie_word_embeddings=True),
        *(None, "", 800 * 1024, PAGED_ATTENTION),
    ),
    Model(
        "Qwen/Qwen1.5-32B-Chat",
        shape("qwen2", 64, 5120, 27392, 40, 8, 152064, 32768),
        *(32.5, page("Qwen/Qwen1.5-32B-Chat"), 512 * 2**20 // 2048, LLAMA_CPP),
    ),
    Model(
        "01-ai/Yi-1.5-34B-Chat",
        shape("llama", 60, 7168, 20480, 56, 8, 64000, 4096),
        *(34.4, page("01-ai/Yi-1.5-34B-Chat"), 480 * 2**20 // 2048, LLAMA_CPP),
    ),
    Model(
        "CohereForAI/c4ai-command-r-v01",
        shape("cohere", 40, 8192, 22528, 64, 64, 256000, 131072, tie_word_embeddings=True),
        *(35.0, page("CohereForAI/c4ai-command-r-v01"), 2560 * 2**20 // 2048, LLAMA_CPP),
    ),
    Model(
        "mistralai/Mixtral-8x7B-v0.1",
        shape(
            *("mixtral", 32, 4096, 14336, 32, 8, 32000, 32768),
            num_local_experts=8,
            num_experts_per_tok=2,
        ),
        *(46.7, "https://mistral.ai/news/mixtral-of-experts", 256 * 2**20 // 2048, LLAMA_CPP),
    ),
    Model(
        "meta-llama/Meta-Llama-3-70B",
        shape("llama", 80, 8192, 28672, 64, 8, 128256, 8192),
        *(70.6, page("meta-llama/Meta-Llama-3-70B"), 640 * 2**20 // 2048, LLAMA_CPP),
    ),
    Model(
        "Qwen/Qwen2.5-72B",
        shape("qwen2", 80, 8192, 29568, 64, 8, 152064, 131072),
        *(72.7, page("Qwen/Qwen2.5-72B"), 327_680, DEEPSEEK),
    ),
    Model(
        "meta-llama/Llama-3.1-405B",
        shape("llama", 126, 16384, 53248, 128, 8, 128256, 131072),
        *(405, "https://arxiv.org/abs/2407.21783", 516_096, DEEPSEEK),
    ),
    Model(
        "deepseek-ai/DeepSeek-V3",
        DEEPSEEK_V3,
        *(671, "https://arxiv.org/abs/2412.19437", 70_272, DEEPSEEK),
    ),
    Model(
        "Qwen/Qwen3-8B",
        shape("qwen3", 36, 4096, 12288, 32, 8, 151936, 40960, head_dim=128),
        *(8.2, page("Qwen/Qwen3-8B")),
    ),
    Model(
        "Qwen/Qwen3-32B",
        shape("qwen3", 64, 5120, 25600, 64, 8, 151936, 40960, head_dim=128),
        *(32.8, page("Qwen/Qwen3-32B")),
    ),
    Model(
        "Qwen/Qwen3-30B-A3B",
        qwen3_moe(48, 2048, 32, 4, 768),
        *(30.5, page("Qwen/Qwen3-30B-A3B")),
    ),
    Model(
        "Qwen/Qwen3-235B-A22B",
        qwen3_moe(94, 4096, 64, 4, 1536),
        *(235, page("Qwen/Qwen3-235B-A22B")),
    ),
    Model("openai/gpt-oss-20b", gpt_oss(24, 32), *(20.91, GPT_OSS)),
    Model("openai/gpt-oss-120b", gpt_oss(36, 128), *(116.83, GPT_OSS)),
]
BY_NAME = {model.short: model for model in MODELS}
