"""A published config.json as a row of models.json: the keys that decide, and modules as patterns.

Lists of modules that are not quantized name a module once for each layer. A name is folded into a
pattern, with ``*`` for the layer, where the same module of enough layers is named; whether the
pattern says the same as the list is then asked of quantmap itself (``same``).
"""

from __future__ import annotations

import re
from typing import Any

Config = dict[str, Any]

LISTS = ("exclude_modules", "ignore", "modules_to_not_convert", "ignored_layers")
# A layer's number, not the expert's or the block's: what stands behind "layers" or "blocks".
_LAYER = re.compile(r"(?<=\blayers\.)\d+(?=\.|$)")
_ENOUGH = 4  # layers of a module, from which on its names become a pattern
# Of a config.json, what rules, memory and shapes look at; the rest decides nothing.
KEYS = (
    "architectures", "model_type", "torch_dtype", "dtype", "tie_word_embeddings", "vocab_size",
    "hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "head_dim",
    "attention_head_dim", "intermediate_size", "dense_intermediate_size", "hidden_act",
    "max_position_embeddings", "moe_intermediate_size", "num_experts", "num_local_experts",
    "n_routed_experts", "n_shared_experts", "num_experts_per_tok", "experts_per_token",
    "shared_intermediate_size", "shared_expert_intermediate_size", "share_expert_dim",
    "moe_shared_expert_intermediate_size", "first_k_dense_replace", "moe_layer_freq",
    "mlp_layer_types", "decoder_sparse_step", "mlp_only_layers", "expert_dtype", "kv_lora_rank",
    "q_lora_rank", "qk_nope_head_dim", "qk_rope_head_dim", "v_head_dim", "index_head_dim",
    "compress_ratios", "num_nextn_predict_layers", "num_mtp_modules", "sliding_window",
    "sliding_window_size", "use_sliding_window", "max_window_layers", "layer_types",
    "attention_chunk_size", "attn_type_list", "layers_block_type", "hybrid_override_pattern",
    "hybrid_layer_pattern", "swa_num_attention_heads", "swa_num_key_value_heads", "swa_head_dim",
    "swa_v_head_dim", "add_swa_attention_sink_bias", "add_full_attention_sink_bias",
    "swiglu_limit", "conv_kernel", "expand", "mamba_head_dim", "mamba_num_heads", "n_groups",
    "ssm_state_size", "time_step_rank", "mamba_ssm_cache_dtype", "mamba_ssm_dtype",
    "full_attention_interval", "linear_conv_kernel_dim", "linear_key_head_dim",
    "linear_num_key_heads", "linear_value_head_dim", "linear_num_value_heads",
    "mtp_num_hidden_layers", "global_head_dim", "num_global_key_value_heads", "hidden_activation",
    "hidden_size_per_layer_input", "num_kv_shared_layers", "vocab_size_per_layer_input", "top_k",
    "enable_moe_block", "top_k_experts", "interleave_moe_layer_step",
)  # fmt: skip

VISION = (
    "depth", "dtype", "global_head_dim", "head_dim", "hidden_act", "hidden_activation",
    "hidden_size", "intermediate_size", "max_position_embeddings", "model_type",
    "num_attention_heads", "num_heads", "num_hidden_layers", "num_key_value_heads",
    "patch_size", "position_embedding_size", "spatial_merge_size", "vt_hidden_size",
    "vt_intermediate_size",
)  # fmt: skip


def folded(names: list[str]) -> list[str]:
    """Return the names with those of one module of many layers as one pattern.

    Example:
        >>> folded(["lm_head", *(f"layers.{i}.mlp.gate" for i in range(9)), "layers.9*"])
        ['lm_head', 'layers.9*', 'layers.*.mlp.gate']
    """
    layers: dict[str, list[str]] = {}
    alone = []
    for name in names:
        pattern, count = _LAYER.subn("*", name, count=1)
        if count:
            layers.setdefault(pattern, []).append(name)
        else:
            alone.append(name)
    few = [name for found in layers.values() if len(found) < _ENOUGH for name in found]
    return [*alone, *few, *(one for one, found in layers.items() if len(found) >= _ENOUGH)]


def with_section(config: Config, beside: Config | None) -> Config:
    """Return a config with the quantization that a file beside it tells (hf_quant_config.json)."""
    if beside is None or "quantization_config" in config:
        return config
    return {
        **config,
        "quantization_config": {"quant_method": "modelopt", **beside.get("quantization", {})},
    }


def row(config: Config) -> Config:
    """Return what is kept of a config.json."""
    out = {key: config[key] for key in KEYS if key in config}
    if isinstance(text := config.get("text_config"), dict):
        out["text_config"] = row(text)
    if isinstance(vision := config.get("vision_config"), dict):
        out["vision_config"] = {key: vision[key] for key in VISION if key in vision}
    if isinstance(section := config.get("quantization_config"), dict):
        out["quantization_config"] = {
            key: folded(value) if key in LISTS and value else value
            for key, value in section.items()
        }
    return out


def differing(made: Config, kept: Config) -> list[str]:
    """Return the keys in which two rows differ; the order of names in a list does not count."""
    out = []
    for key in {**made, **kept}:
        one, other = made.get(key), kept.get(key)
        if isinstance(one, dict) and isinstance(other, dict):
            out += [f"{key}.{inner}" for inner in differing(one, other)]
        elif key in LISTS and isinstance(one, list) and isinstance(other, list):
            out += [key] if sorted(one) != sorted(other) else []
        elif one != other:
            out.append(key)
    return out
