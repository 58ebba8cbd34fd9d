"""Versions: PEP 440, image tags, releases between and beyond the known ones, the variable."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
import quantmap
from packaging.version import Version
from quantmap import _core

from tests.python.support import ENGINES

CODE = """\
import json, sys, quantmap
try:
    m = quantmap.explain("sglang", {}, **json.loads(sys.argv[1]))
    n = quantmap.explain("vllm", {})
    print(json.dumps([m.version, n.version, [d.code for d in m.diagnostics]]))
except quantmap.ConfigError as error:
    print(json.dumps([[d.code, d.path] for d in error.diagnostics]))
"""


def with_variable(value: str, **call: Any) -> Any:
    """What a fresh interpreter makes of the variable."""
    done = subprocess.run(
        [sys.executable, "-c", CODE, json.dumps(call)],
        env={**os.environ, "QUANTMAP_ENGINE_VERSIONS": value},
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout)


def version_of(text: str, engine: str = "sglang", **more: Any) -> str | None:
    return quantmap.explain(engine, {}, engine_version=text, **more).version


def codes(mapping: quantmap.Mapping) -> set[str]:
    return {diagnostic.code for diagnostic in mapping.diagnostics}


@pytest.mark.parametrize("engine", ENGINES)
def test_releases_ascend_by_pep_440(engine: str) -> None:
    versions = [Version(release["version"]) for release in _core.releases(engine)]
    assert versions == sorted(set(versions))


@pytest.mark.parametrize("engine", ENGINES)
def test_every_release_is_found_by_its_own_name(engine: str) -> None:
    for release in _core.releases(engine):
        mapping = quantmap.explain(engine, {}, engine_version=release["version"])
        assert mapping.version == release["version"]
        assert not codes(mapping) & {"version-between", "version-newer"}
        assert mapping.mode == "checked"
        assert set(mapping.to_dict()["catalog"]) == {"version", "hash"}
    newest = _core.releases(engine)[-1]["version"]
    assert version_of("latest", engine) == version_of(" LATEST ", engine) == newest


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.5.2", "0.5.2"),
        ("v0.5.2", "0.5.2"),
        (" 0.5.2 ", "0.5.2"),
        ("0.5.2+cu128", "0.5.2"),
        ("v0.5.2-cu126", "0.5.2"),
        ("v0.5.4.post2-cu129-arm64", "0.5.4.post2"),
        ("0.5.4.post2", "0.5.4.post2"),
        ("0.5.4-post2", "0.5.4.post2"),
        ("0.5.2.0", "0.5.2"),
        ("0.4.6.post99", "0.4.6.post5"),
    ],
)
def test_spellings(text: str, expected: str) -> None:
    assert version_of(text) == expected


def test_between_two_releases_the_lower() -> None:
    known = [release["version"] for release in _core.releases("sglang")]
    lower = known[known.index("0.5.2") - 1]
    mapping = quantmap.explain("sglang", {}, engine_version="0.5.2rc1")
    assert mapping.version == lower
    assert "version-between" in codes(mapping)
    assert version_of("0.5.2.dev3") == lower
    assert version_of("0.5.2.post7") == "0.5.2"


def test_newer_than_the_newest() -> None:
    newest = _core.releases("vllm")[-1]["version"]
    mapping = quantmap.explain("vllm", {}, engine_version="99.1")
    assert mapping.version == newest
    assert "version-newer" in codes(mapping)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("0.0.1", "version-too-old"),
        ("", "not-a-version"),
        ("nightly", "not-a-version"),
        ("0.5.x", "not-a-version"),
        ("1..2", "not-a-version"),
        ("0.5.2 0.5.3", "not-a-version"),
        ("9" * 400, "not-a-version"),
        ("0.5.2\n;rm", "not-a-version"),
        ("٠.٥.٢", "not-a-version"),
    ],
)
def test_what_is_no_known_version(text: str, code: str) -> None:
    with pytest.raises(quantmap.ConfigError) as caught:
        version_of(text)
    assert [(d.code, d.path) for d in caught.value.diagnostics] == [(code, "engine_version")]


def test_the_order_of_the_ways() -> None:
    def version(runtime: str, **call: Any) -> str | None:
        return quantmap.explain(runtime, {}, **call).version

    assert version("sglang@0.5.2", engine_version="0.5.6") == "0.5.6"
    assert version("sglang==0.5.2", runtime_image_tag="v0.5.6-cu126") == "0.5.2"
    assert version("sglang", runtime_image_tag="v0.5.6-cu126") == "0.5.6"
    assert version("sglang") is None


def test_an_unreadable_image_tag_is_a_warning() -> None:
    mapping = quantmap.explain("sglang", {}, runtime_image_tag="nightly-dev-20250923")
    assert mapping.mode == "documented"
    assert "unreadable-image-tag" in codes(mapping)


def test_the_variable() -> None:
    both = "sglang=0.5.2,vllm=0.11.0"
    assert with_variable(both)[:2] == ["0.5.2", "0.11.0"]
    assert with_variable(" SGLang = v0.5.2-cu126 ,, ")[:2] == ["0.5.2", None]
    assert with_variable(both, engine_version="0.5.6")[:2] == ["0.5.6", "0.11.0"]
    assert with_variable(both, runtime_image_tag="v0.5.6")[:2] == ["0.5.6", "0.11.0"]
    assert with_variable("")[:2] == [None, None]
    assert with_variable("sglang=nothing") == [["not-a-version", "QUANTMAP_ENGINE_VERSIONS"]]


def test_settings_of_checked_mode_need_a_version() -> None:
    for call in ({"gpu": "H100"}, {"policy": "strict"}, {"policy": "literal"}):
        with pytest.raises(quantmap.ConfigError) as caught:
            quantmap.explain("vllm", {}, **call)  # type: ignore[arg-type]
        assert [d.code for d in caught.value.diagnostics] == ["needs-version"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("H100", "sm90"),
        ("NVIDIA H100 80GB HBM3", "sm90"),
        ("A100-SXM4-80GB", "sm80"),
        ("Tesla T4", "sm75"),
        ("9.0", "sm90"),
        ("sm_90a", "sm90"),
        ("8.6", "sm80"),
        (8.9, "sm89"),
        (90, "sm90"),
        ("10.3", "sm100"),
        ("12.0", "sm120"),
    ],
)
def test_gpus(name: Any, expected: str) -> None:
    assert quantmap.explain("vllm", {}, engine_version="0.11.0", gpu=name).gpu == expected


@pytest.mark.parametrize("name", ["", "H1000000", "sm", "banana", "-9.0", "9.0.0.0", "unknown"])
def test_what_is_no_gpu(name: str) -> None:
    with pytest.raises(quantmap.ConfigError) as caught:
        quantmap.explain("vllm", {}, engine_version="0.11.0", gpu=name)
    assert [d.code for d in caught.value.diagnostics] == ["unknown-gpu"]
