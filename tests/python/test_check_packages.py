"""The release that a script installs is the one that its launches run."""

from __future__ import annotations

import pytest
from quantmap import check_script


def releases(text: str) -> list[tuple[str, str]]:
    return [(launch.engine, launch.version) for launch in check_script(text).launches]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("pip install vllm==0.8.5\nvllm serve m\n", [("vllm", "0.8.5")]),
        ("pip3 install -q -U 'vllm==0.9.2' && vllm serve m\n", [("vllm", "0.9.2")]),
        ("python -m pip install 'vllm[audio]==0.11.0' ray\nvllm serve m\n", [("vllm", "0.11.0")]),
        ("uvx --from vllm==0.11.0 vllm serve m\n", [("vllm", "0.11.0")]),
        ("uv run --with 'vllm==0.10.2' vllm serve m\n", [("vllm", "0.10.2")]),
        ("uvx --from=vllm==0.9.1 vllm serve m\n", [("vllm", "0.9.1")]),
        ("V=0.10.0\nuv pip install vllm==$V\nvllm serve m\n", [("vllm", "0.10.0")]),
        ("conda install -c conda-forge vllm=0.8.5\nvllm serve m\n", [("vllm", "0.8.5")]),
        (
            "pip install https://host/v0.9.0/vllm-0.9.0%2Bcu128-cp38-abi3-linux_x86_64.whl\n"
            "vllm serve m\n",
            [("vllm", "0.9.0")],
        ),
        (
            "pip install 'sglang[all]==0.5.3.post1' vllm==0.10.0\n"
            "python3 -m sglang.launch_server --model-path m\nvllm serve m\n",
            [("sglang", "0.5.3.post1"), ("vllm", "0.10.0")],
        ),
        (
            "pip install vllm==0.8.5\nvllm serve m\npip install vllm==0.9.2\nvllm serve m\n",
            [("vllm", "0.8.5"), ("vllm", "0.9.2")],
        ),
        (
            "pip install tensorrt-llm==1.0.0\ntrtllm-serve m\n",
            [("tensorrt_llm", "1.0.0")],
        ),
        (
            "pip install vllm==0.8.5\ndocker run vllm/vllm-openai:v0.10.2 --model m\n"
            "vllm serve m\n",
            [("vllm", "0.10.2"), ("vllm", "0.8.5")],
        ),
        (
            "docker run python:3.12 sh -c 'pip install vllm==0.8.5 && vllm serve m'\n",
            [("vllm", "0.8.5")],
        ),
        (
            "FROM python:3.12\nARG V=0.9.1\nRUN apt-get update && \\\n  pip install vllm==${V}\n"
            'CMD ["vllm", "serve", "m"]\n',
            [("vllm", "0.9.1")],
        ),
        (
            "FROM lmsysorg/sglang:v0.4.6\nRUN pip install sglang==0.5.6\n"
            "CMD python3 -m sglang.launch_server --model-path m\n",
            [("sglang", "0.5.6")],
        ),
    ],
)
def test_an_installed_release_is_the_one_that_runs(text: str, found: list[tuple[str, str]]) -> None:
    assert releases(text) == found
    assert not any(
        "No release is named" in str(note) for note in check_script(text).launches[0].notes
    )


@pytest.mark.parametrize(
    "install",
    [
        "pip install vllm",
        "pip install 'vllm>=0.8.0'",
        "pip install vllm-flash-attn==2.6.1",
        "pip install my-vllm==0.8.5",
        "pip install vllm==$NOT_TOLD",
        "export vllm=",
        "export VLLM=0.8.5",
        "docker run -e VLLM=0.8.5 busybox true",
        "helm install x --set vllm=0.8.5",
        "pip install 'vllm>=0.8.5' 'vllm!=0.9.0'",
        "echo a=b --x==0.8.5",
    ],
)
def test_what_names_no_release_of_an_engine_is_none(install: str) -> None:
    newest = releases("vllm serve m\n")
    assert releases(f"{install}\nvllm serve m\n") == newest


def test_a_release_that_is_not_known_stands_for_one_that_is() -> None:
    (launch,) = check_script("pip install vllm==0.8.99\nvllm serve m\n").launches
    assert launch.asked == "0.8.99"


def test_the_caller_wins_over_what_is_installed() -> None:
    text = "pip install vllm==0.8.5\nvllm serve m\n"
    (launch,) = check_script(text, engine_version="0.10.2").launches
    assert launch.version == "0.10.2"
