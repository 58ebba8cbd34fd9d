"""Launches in source: calls by names and dicts, texts that are files, other languages, pages."""

from __future__ import annotations

import pytest
from quantmap import CheckResult, check_script

IMAGE = "vllm/vllm-openai:v0.9.1"


def only(text: str) -> CheckResult:
    (launch,) = check_script(text).launches
    return launch


def refused(text: str) -> list[str]:
    return [
        v.argument for launch in check_script(text).launches for v in launch.verdicts if v.refused
    ]


@pytest.mark.parametrize(
    "call",
    [
        'opts = {"kv_cache_dtype": "fp9"}\nLLM("a/b", **opts)',
        'LLM("a/b", **{"kv_cache_dtype": "fp9"})',
        'opts = dict(kv_cache_dtype="fp9")\nLLM(model="a/b", **opts)',
        'opts = {"model": "a/b", "kv_cache_dtype": "fp9"}\nLLM(**opts)',
    ],
)
def test_a_dict_is_what_a_call_is_given(call: str) -> None:
    launch = only(f"from vllm import LLM\n{call}\n")
    assert launch.model == "a/b"
    assert [(v.argument, v.refused) for v in launch.verdicts] == [("--kv-cache-dtype", True)]


@pytest.mark.parametrize(
    "more", ['opts["dtype"] = x', "opts.update(y)", 'opts = {**z, "a": 1}', "opts = f()"]
)
def test_a_dict_that_changes_is_not_all(more: str) -> None:
    text = f'from vllm import LLM\nopts = {{"dtype": "half"}}\n{more}\nLLM("a/b", **opts)\n'
    assert "{options}" in [verdict.argument for verdict in only(text).verdicts]


def test_a_call_takes_no_abbreviation() -> None:
    text = (
        'from vllm import LLM\nLLM("a/b", tensor_parallel=2, kv_cache="fp8", seed=1, callback=2)\n'
    )
    found = {verdict.argument: verdict for verdict in only(text).verdicts}
    assert found["--tensor-parallel"].refused and found["--kv-cache"].refused
    assert found["--tensor-parallel"].hint == "write tensor_parallel_size"
    assert found["--seed"].verdict == "accepted" and found["--callback"].verdict == "assumed"
    line = "import subprocess\nsubprocess.run(['vllm', 'serve', 'a/b', '--tensor-parallel', '2'])\n"
    assert only(line).ok


def test_a_condition_whose_name_is_known_chooses() -> None:
    text = 'FAST = True\nrun(["vllm", "serve", "a/b", "--enforce-eager" if FAST else "--x"])\n'
    assert [verdict.argument for verdict in only(text).verdicts] == ["--enforce-eager"]


def test_python_of_a_script_stands_beside_its_launches() -> None:
    text = (
        'pip install vllm==0.9.1\nvllm serve a/b --port 1 &\n# python -c "import vllm"\n'
        "python -c \"from vllm import LLM; LLM('a/b', kv_cache_dtype='fp9')\"\n"
    )
    assert [(one.line, one.version) for one in check_script(text).launches] == [
        (2, "0.9.1"),
        (4, "0.9.1"),
    ]
    assert refused(text) == ["--kv-cache-dtype"]


def test_a_text_of_python_may_be_a_manifest() -> None:
    text = (
        'import yaml\nKV = "fp9"\nT = f"""\napiVersion: v1\nspec:\n  containers:\n'
        f"  - image: {IMAGE}\n    args: [--model, a/b, --kv-cache-dtype, {{KV}}]\n"
        '"""\nyaml.safe_load(T)\n'
    )
    result = check_script(text)
    assert not result.notes and refused(text) == ["--kv-cache-dtype"]
    assert result.launches[0].version == "0.9.1" and result.launches[0].line == 7


@pytest.mark.parametrize(
    "structure",
    [
        'image: "{image}",\n  args: ["--model", "a/b", "--kv-cache-dtype", "fp9"],',
        "image: ecs.ContainerImage.fromRegistry('{image}'),\n  command: ['--model', 'a/b', "
        "'--kv-cache-dtype', 'fp9'],",
        'image: "{image}",\n  command: ["vllm", "serve"],\n'
        '  args: ["a/b", "--kv-cache-dtype", "fp9"],',
    ],
)
def test_a_structure_of_another_language_is_a_container(structure: str) -> None:
    text = f"const c = new Thing({{\n  {structure.replace('{image}', IMAGE)}\n}});\n"
    launch = only(text)
    assert (launch.model, launch.version, launch.line) == ("a/b", "0.9.1", 2)
    assert refused(text) == ["--kv-cache-dtype"]


def test_blocks_of_restructured_text_are_read() -> None:
    text = (
        "Serve it\n========\n\nIt's said so:\n\n.. code-block:: console\n   :linenos:\n\n"
        "    $ vllm serve a/b --kv-cache-dtype fp9\n\nIt doesn't start.\n"
    )
    assert (only(text).line, refused(text)) == (9, ["--kv-cache-dtype"])


def test_quotes_in_the_sentences_of_a_page_are_no_matter() -> None:
    text = "# A page\n\nIt doesn't run\n\nvLLM.\n\nSo it\nis.\n"
    (note,) = check_script(text).notes
    assert note.code == "engine-named-only"


def test_a_launch_behind_python_and_variables_is_one() -> None:
    line = "nohup env A={a} /v/bin/python3 /v/bin/vllm serve {m} --port 1"
    text = f'{{"name": "vllm", "template": "{line}"}}'
    assert [v.argument for v in only(text).verdicts if v.argument[:1] == "-"] == ["--port"]


@pytest.mark.parametrize(
    "sets",
    [
        "--set image={image} --set 'args={{--model,a/b,--kv-cache-dtype,fp9}}'",
        "--set image.repository=vllm/vllm-openai,image.tag=v0.9.1 \\\n  "
        "--set args[0]=--model,args[1]=a/b --set 'extraArgs={{--kv-cache-dtype,fp9}}'",
        "--set-string=server.image={image} --set 'command={{vllm,serve,a/b}},"
        "args={{--kv-cache-dtype,fp9}}'",
    ],
)
def test_values_that_helm_is_given_are_a_container(sets: str) -> None:
    text = f"helm repo update\nhelm upgrade x ./chart {sets.format(image=IMAGE)}\n"
    launch = only(text)
    assert (launch.model, launch.version, launch.line) == ("a/b", "0.9.1", 2)
    assert refused(text) == ["--kv-cache-dtype"]
