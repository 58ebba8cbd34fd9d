"""Which recipes a launch asks for, release by release: what explain and quality name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import quantmap
from quantmap import _core
from quantmap.numerics.named import Named

from tests.python.test_quality import model
from tests.python.test_quality_plans import ENGINE


def test_every_name_of_a_recipe_is_one() -> None:
    known = {(recipe.who, recipe.scheme) for recipe in quantmap.recipes()}
    rows = _core.recipe_name_rows()
    assert len(rows) > 30
    for row in rows:
        assert (row["scheme"] is None) != (row["outside"] is None)
        assert row["scheme"] is None or (row["who"], row["scheme"]) in known
        assert row["instead_of"] is None or (row["who"], row["instead_of"]) in known


ASKED = {
    "vllm": (
        "0.6.0",
        "0.9.0",
        "0.11.0",
        "0.13.0",
        "0.20.0",
        "0.23.0",
        "0.26.0",
        "0.28.0",
        "0.33.0",
    ),
    "sglang": ("0.4.0", "0.4.4", "0.4.5", "0.5.5", "0.5.11", "0.5.16", "0.5.17", "0.5.23"),
    "sglang_jax": ("0.0.3rc0", "0.1.0rc0"),
}
CONFIGS: tuple[dict[str, Any], ...] = (
    {"gemm_dtype": "fp8"},
    {"moe_dtype": "fp8"},
    {"moe_dtype": "int8"},
    {"moe_dtype": "mxfp4"},
    {"gemm_dtype": "fp8", "moe_dtype": "int8", "kvcache_dtype": "fp8"},
    {"kvcache_dtype": "fp8_e5m2"},
    {"kvcache_dtype": "int8"},
    {"kvcache_dtype": "int4"},
    {"quantization": {"method": "fp8", "fp8_variant": "w8a8_fp8"}},
    {"quantization": {"method": "fp8", "fp8_variant": "ptpc_fp8"}},
    {"quantization": {"method": "mxfp4"}},
    {"quantization": {"method": "bitsandbytes"}},
)
_CHOOSES = ("--quantization", "--quantization-config#/linear", "--quantization-config#/moe")
_CHOOSES += ("--kv-cache-dtype", "--quantization-config-path")


@pytest.mark.parametrize(("engine", "release"), [(e, r) for e, all_ in ASKED.items() for r in all_])
def test_whatever_quantizes_while_loading_has_its_recipe(engine: str, release: str) -> None:
    """Or words that say what is computed in its place: nothing that a config makes is unread."""
    for config in CONFIGS:
        mapping = quantmap.explain(engine, config, engine_version=release)
        emitted = {k: v for item in mapping.decisions for k, v in item.emitted.items()}
        named = Named.of(mapping)
        assert not named.unread, (config, named.unread)
        asked = {k: v for k, v in emitted.items() if k in _CHOOSES}
        for flag, value in asked.items():
            if value in ("auto", "bfloat16", "bf16", "float16", "online", None):
                continue
            assert named.parts or named.outside, (config, flag, value)


def named_of(engine: str, config: dict[str, Any], given: dict[str, Any], **more: Any) -> Named:
    """The recipes of a launch with arguments of the user's own."""
    return Named.of(quantmap.explain(engine, config, given, **more))


def test_a_rule_that_takes_no_module_quantizes_none(tmp_path: Path) -> None:
    """Rules for experts alone need a rule for linear layers, for the form of the file."""
    for config in ({"moe_dtype": "int8"}, {"moe_dtype": "fp8"}):
        parts = named_of("sglang_jax", config, {}, engine_version="0.1.0rc0").parts
        assert set(parts) == {"experts", "expert_activation"}
    found = quantmap.quality(model(tmp_path / "m"), engine=ENGINE, config={"moe_dtype": "int8"})
    assert {module.kind for module in found.modules} == {"experts"}


def test_arguments_of_the_user_win() -> None:
    fused = named_of(
        "sglang_jax", {"moe_dtype": "int8"}, {"moe_backend": "fused"}, engine_version="0.1.0rc0"
    )
    assert fused.parts["experts"].scheme == "int8/moe_fused"
    mixed = {"quantization": "online", "quantization_config": {"linear": "mxfp8", "moe": "mxfp4"}}
    parts = named_of("vllm", {}, mixed, engine_version="0.33.0").parts
    assert {part: recipe.scheme for part, recipe in parts.items()} == {
        "linear": "mxfp8",
        "experts": "mxfp4",
    }
    given = {"quantization": "mxfp4", "kv_cache_dtype": "int8_per_token_head"}
    parts = named_of(
        "vllm", {"gemm_dtype": "fp8", "kvcache_dtype": "fp8"}, given, engine_version="0.33.0"
    ).parts
    assert parts["linear"].scheme == "mxfp4" and parts["cache"].scheme == "kv_int8_per_token_head"


NEWEST = {"vllm": "0.33.0", "sglang": "0.5.23"}


@pytest.mark.parametrize("engine", NEWEST)
def test_what_has_a_recipe_is_not_called_16_bit(engine: str) -> None:
    parts = {"linear": "gemm", "experts": "moe"}
    asked = 0
    for row in _core.recipe_name_rows(NEWEST[engine]):
        if row["who"] != engine or row["at"] != "--quantization" or row["part"] not in parts:
            continue
        outside = row["outside"] or ""
        if "experts of a quantized checkpoint" in outside or "ROCm only" in outside:
            continue
        for value in row["values"]:
            given = {"quantization": value}
            mapping = quantmap.explain(engine, {}, given, engine_version=NEWEST[engine])
            assert "16-bit, as" not in mapping.precision[parts[row["part"]]], value
            asked += 1
    assert asked >= 5


def test_a_release_that_quantizes_nothing_is_not_taken_for_one_that_does() -> None:
    config = {"quantization": {"method": "fp8", "fp8_variant": "w8a8_fp8"}}
    taken = {}
    for release in ("0.4.4", "0.4.4.post1", "0.4.4.post2"):
        mapping = quantmap.explain("sglang", config, engine_version=release)
        taken[release] = mapping.args["--quantization"]
        assert Named.of(mapping).parts["linear"].scheme == "fp8_per_channel"
    assert list(taken.values()) == ["fp8", "fp8", "w8a8_fp8"]


def test_weights_that_are_quantized_already_have_no_recipe() -> None:
    config = {"gemm_dtype": "fp8", "kvcache_dtype": "fp8"}
    more = {"engine_version": "0.33.0", "model_quantization": "fp8"}
    named = named_of("vllm", config, {"quantization": "fp8"}, **more)
    assert list(named.parts) == ["cache"] and not named.outside


def test_numerics_are_those_of_the_release() -> None:
    def formula(name: str) -> str:
        return _core.find_recipe(name).formula

    per_head = "kv_int8_per_token_head"
    assert "trunc" in formula(f"vllm@0.23.0:{per_head}")
    assert "trunc" not in formula(f"vllm@0.24.0:{per_head}")
    assert formula("vllm@0.26.0:mxfp8") != formula("vllm@0.27.0:mxfp8")
    rows = {formula(f"sglang@{r}:fp8_per_channel") for r in ("0.5.10", "0.5.16", "0.5.17")}
    assert len(rows) == 3
    emitted = {"--quantization": "fp8"}
    assert Named("sglang", "0.4.3", emitted).parts["linear"].scheme == "scaled_fp8_quant"
    assert Named("sglang", "0.4.4", emitted).parts["linear"].scheme == "fp8_per_channel"
    assert (
        "bitsandbytes"
        in Named("vllm", "0.9.0", {"--quantization": "bitsandbytes"}).outside["linear"]
    )
