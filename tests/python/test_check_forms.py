"""Launches in a roundabout way: runners, clouds, units, templates, prose, calls in Python."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from quantmap import check_script
from quantmap.repository import check_directory

LINE = "vllm serve a/b --dtype fp16"
IMAGE = "vllm/vllm-openai:v0.8.5"
# What is read, the releases (None: the newest), the models; every launch refuses --dtype fp16
# where it has it, by what the text tells of its release.
ONE = {
    "docker exec": f"docker exec -it c {LINE}",
    "a server's file": "python3 lib/vllm/entrypoints/openai/api_server.py --model a/b --dtype fp16",
    "a module without a blank": (
        "python -mvllm.entrypoints.openai.api_server --model a/b --dtype fp16"
    ),
    "uvx": "uvx vllm serve a/b --dtype fp16",
    "uv tool run, with a package": "uv tool run 'vllm>=0.6.0' -- serve a/b --dtype fp16",
    "pm2 with words": "pm2 start vllm --name v -- serve a/b --dtype fp16",
    "pm2 with a look-up": 'pm2 start "$(which vllm)" --name v -- serve a/b --dtype fp16',
    "CMD alone": 'CMD ["vllm", "serve", "a/b", "--dtype", "fp16"]\n',
    "CMD as a shell's": f"CMD {LINE}\n",
    "a file in a Dockerfile": f"FROM x\nCOPY <<EOF /s.sh\n{LINE}\nEOF\nCMD sh /s.sh\n",
    "code in a line": f"Start `{LINE}` and wait.\n",
    "behind words": f"Now run: {LINE} and wait for it.\n",
    "supervisor": f"[program:v]\ncommand={LINE}\nautostart=true\n",
    "KServe": (
        "modelFormat:\n  name: huggingface\nargs: [--model_name=x, --model_id=a/b, --dtype=fp16]\n"
    ),
    "PowerShell's list": '$a = @("serve", "a/b", "--dtype", "fp16")\n& vllm @a\n',
    "fish": "set -x HF_HOME /x\nset T fp16\nvllm serve a/b --dtype $T\n",
    "parts of a line": (
        "import x\nparts = ['vllm serve a/b', f'--port {p}']\nparts.append('--dtype fp16')\n"
        "run(' '.join(parts))\n"
    ),
    "words of another language": (
        'spawn("vllm", ["serve", "a/b", "--port", c.port, "--dtype", "fp16"]);\n'
    ),
    "Python on a line": "python3 -c \"from vllm import LLM; LLM('a/b', dtype='fp16')\"",
    "a name before flags": 'x = 1\nimport y\nt = """\nset -e\nvllm serve a/b --dtype fp16\n"""\n',
    "a class": 'from vllm import LLM\nllm = LLM("a/b", dtype="fp16", seed=None)\n',
    "a class of a module": 'import vllm as v\nv.LLM(model="a/b", dtype="fp16")\n',
    "arguments as a class": 'from vllm import EngineArgs\nEngineArgs(model="a/b", dtype="fp16")\n',
    "Ray's settings": (
        "from ray.serve.llm import LLMConfig\n"
        'LLMConfig(model_loading_config=dict(model_source="a/b"), '
        'engine_kwargs={"dtype": "fp16"})\n'
    ),
    "a cell that writes": (
        '{"cells": [{"cell_type": "code", "source": ["%%writefile run.sh\\n", "' + LINE + '"]}]}'
    ),
}
AT = {
    "a list of arguments": (
        f'gcloud run deploy x --image {IMAGE} --region r --args="--model=a/b,--dtype=fp16"'
    ),
    "arguments one by one": (
        f"gcloud run deploy x --image={IMAGE} --args=--model,a/b --args=--dtype,fp16"
    ),
    "a program": (
        f"gcloud run deploy x --image={IMAGE} --command=vllm --args=serve,a/b,--dtype,fp16"
    ),
    "arguments in one word": (
        f'runpodctl create pod --imageName {IMAGE} --args "--model a/b --dtype fp16"'
    ),
    "arguments to the end": (
        f"vastai create instance 1 --image {IMAGE} --args --model a/b --dtype fp16"
    ),
    "a line": f'az container create --name v --image {IMAGE} --command-line "{LINE}"',
    "a deployment": f"kubectl create deployment v --image={IMAGE} -- {LINE}",
    "Nomad's job": (
        f'job "v" {{\n  config {{\n    image = "{IMAGE}"\n'
        '    args = ["--model", "a/b", "--dtype", "fp16"]\n  }\n}\n'
    ),
    "Podman's unit": f"[Container]\nImage={IMAGE}\nExec=--model a/b --dtype fp16\n",
    "Terraform's block": (
        f'container {{\n  image = "{IMAGE}"\n  args = ["--model", "a/b", "--dtype", "fp16"]\n}}\n'
        'resource "x" "y" {\n}\n'
    ),
    "Terraform's local": (
        f'locals {{\n  image = "{IMAGE}"\n}}\nresource "x" "y" {{\n  image = local.image\n'
        '  command = ["--model", "a/b", "--dtype", "fp16"]\n}\n'
    ),
    "Terraform's script": (
        'resource "x" "y" {\n  data = <<-EOF\n    #!/bin/sh\n'
        f"    docker run {IMAGE} --model a/b --dtype fp16\n  EOF\n}}\n"
    ),
    "an image in Python": (
        f'import r\nr.create(image_name="{IMAGE}", docker_args="--model a/b --dtype fp16")\n'
    ),
    "a container's words": (
        f'import x\nrun(["docker", "run", "{IMAGE}", "--model", "a/b", "--dtype", "fp16"])\n'
    ),
    "options by a template": (
        f"docker run {{{{ '--gpus all' if gpu else '' }}}} {IMAGE} --model a/b --dtype fp16"
    ),
    "a clone of a tag": f"git clone -b v0.8.5 https://github.com/vllm-project/vllm.git\n{LINE}",
    "a tag": (
        f"git clone https://github.com/vllm-project/vllm\ncd vllm; git checkout v0.8.5\n{LINE}"
    ),
    "a tag's sources": f"pip install git+https://github.com/vllm-project/vllm.git@v0.8.5\n{LINE}",
    "uvx with a release": "uvx vllm@0.8.5 serve a/b --dtype fp16",
    "poetry": f"poetry add vllm@0.8.5\n{LINE}",
    "an image's packages": (
        'import modal\nimage = modal.Image.debian_slim().pip_install("vllm==0.8.5")\n'
        'run(["vllm", "serve", "a/b", "--dtype", "fp16"])\n'
    ),
    "a script's packages": (
        '# /// script\n# dependencies = ["vllm==0.8.5"]\n# ///\n'
        'from vllm import LLM\nLLM("a/b", dtype="fp16")\n'
    ),
}


@pytest.mark.parametrize("text", ONE.values(), ids=ONE)
def test_a_launch_is_found(text: str) -> None:
    assert_one(text, None)


@pytest.mark.parametrize("text", AT.values(), ids=AT)
def test_a_launch_is_found_with_its_release(text: str) -> None:
    assert_one(text, "0.8.5")


def assert_one(text: str, version: str | None) -> None:
    (launch,) = check_script(text).launches
    assert (launch.engine, launch.model) == ("vllm", "a/b")
    assert version in (None, launch.version)
    told = {verdict.argument: (verdict.value, verdict.verdict) for verdict in launch.verdicts}
    assert told["--dtype"] == ("fp16", "value-not-accepted")
    assert [name for name, (_, verdict) in told.items() if verdict == "unknown-flag"] == []


@pytest.mark.parametrize(
    ("wanted", "version"),
    [
        ("vllm>=0.8.4,<0.9", "0.8.5.post1"),
        ("vllm~=0.8.3", "0.8.5.post1"),
        ("vllm[audio]<=0.8.4", "0.8.4"),
        ("vllm==0.8.*", "0.8.5.post1"),
    ],
)
def test_a_range_is_its_newest_release_and_that_is_assumed(wanted: str, version: str) -> None:
    (launch,) = check_script(f"pip install '{wanted}'\n{LINE}").launches
    assert (launch.version, launch.asked) == (version, wanted)
    assert "release-of-range" in [note.code for note in launch.notes]
    assert {verdict.verdict for verdict in launch.verdicts} == {"assumed"}


def test_a_range_without_an_end_tells_nothing() -> None:
    (launch,) = check_script(f"pip install 'vllm>=0.8.4'\n{LINE}").launches
    assert "newest-release" in [note.code for note in launch.notes]


def test_each_launch_takes_what_is_installed_at_its_place() -> None:
    text = f"pip install vllm==0.8.5\n{LINE}\npip install vllm==0.10.0\n{LINE}\n"
    assert [launch.version for launch in check_script(text).launches] == ["0.8.5", "0.10.0"]


def test_the_old_server_is_told_where_no_release_has_it_any_more() -> None:
    line = "python -m vllm.entrypoints.api_server --model a/b"
    assert check_script(line, "0.8.5").ok
    (launch,) = check_script(line, "0.33.0").launches
    assert [verdict.hint for verdict in launch.verdicts if verdict.refused] == ["write vllm serve"]


def test_an_image_called_after_an_engine_stands_beside_the_engines_own() -> None:
    text = (
        f"docker run {IMAGE} --model a/b\n"
        "docker run ghcr.io/me/vllm-openai:v0.9.1-mine --model c/d --dtype fp16\n"
        "docker run me/vllm-web:1 --theme dark\n"
    )
    result = check_script(text)
    assert [(one.version, one.asked) for one in result.launches] == [
        ("0.8.5", None),
        ("0.9.1", "ghcr.io/me/vllm-openai:v0.9.1-mine"),
    ]
    assert [verdict.verdict for verdict in result.launches[1].verdicts] == ["assumed"] * 2
    assert "image-by-name" in [note.code for note in result.launches[1].notes]
    (note,) = result.notes
    assert (note.code, note.path) == ("image-not-judged", "command at line 3")


def test_a_text_that_only_names_an_engine_is_told_where() -> None:
    (note,) = check_script("a page\nabout vllm and more\n").notes
    assert note.code == "engine-named-only"
    assert note.message.startswith("line 2 ")


@pytest.mark.parametrize(
    "text",
    ["Words are passed through to vllm serve", "x = 1\nvllm = y\n", "vllm : a name\n"],
)
def test_a_sentence_or_an_assignment_is_no_launch(text: str) -> None:
    result = check_script(text)
    assert result.launches == []
    assert "other-command" not in [note.code for note in result.notes]


def test_words_of_a_template_in_yaml_are_one_word() -> None:
    words = "--model a/b --tensor-parallel-size {{ tp }} --dtype fp16"
    text = f"image: {IMAGE}\ncommand: >-\n  {words}\n"
    (launch,) = check_script(text).launches
    told = {verdict.argument: verdict.verdict for verdict in launch.verdicts}
    assert told["--tensor-parallel-size"] == "assumed"
    assert told["--dtype"] == "value-not-accepted"


def test_a_unit_fills_in_its_own_variables() -> None:
    text = "[Service]\nEnvironment=T=fp16\nExecStart=/bin/vllm serve a/b --dtype ${T} --port ${P}\n"
    (launch,) = check_script(text).launches
    told = {verdict.argument: (verdict.value, verdict.verdict) for verdict in launch.verdicts}
    assert told["--dtype"] == ("fp16", "value-not-accepted")
    assert told["--port"][1] == "assumed"


def test_parameters_of_a_call_that_are_no_arguments_are_not_known() -> None:
    given = '"a/b", callback=f, quantisation="fp8", enforce_eager=True, **more'
    text = f"from vllm import LLM\nLLM({given})\n"
    (launch,) = check_script(text).launches
    told = {verdict.argument: verdict.verdict for verdict in launch.verdicts}
    assert told["--quantisation"] == "unknown-flag"
    assert told["--enforce-eager"] == "accepted"
    assert told["--callback"] == "assumed"


def test_sglang_is_called_by_its_own_names() -> None:
    text = 'import sglang as sgl\nsgl.Engine(model_path="a/b", kv_cache_dtype="fp8", tp_size=2)\n'
    (launch,) = check_script(text).launches
    assert (launch.engine, launch.model) == ("sglang", "a/b")
    assert [v.argument for v in launch.verdicts if v.refused] == ["--kv-cache-dtype"]


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("vllm serve a/b --dtype \u201chalf\u201d", 'write --dtype "half"'),
        ("vllm serve \u2018a/b\u2019", "write 'a/b'"),
        ("vllm serve a/b\u00a0--dtype half", "write a/b --dtype"),
    ],
)
def test_printed_signs_are_told(line: str, hint: str) -> None:
    (launch,) = check_script(line).launches
    assert hint in [verdict.hint for verdict in launch.verdicts if verdict.refused]


def test_a_printed_blank_between_the_first_words_is_told() -> None:
    result = check_script("# x\nvllm\u00a0serve a/b")
    assert [launch.model for launch in result.launches] == ["a/b"]
    (note,) = [note for note in result.notes if note.code == "printed-blank"]
    assert note.message.startswith("Line 2 ")


def test_what_an_open_value_keeps_from_being_judged_is_told() -> None:
    (launch,) = check_script("vllm serve a/b --kv-cache-dtype $KV --port $P").launches
    told = [unseen.what for unseen in launch.not_looked_at]
    assert [what for what in told if what.endswith("--kv-cache-dtype, which the text leaves open")]
    assert not [what for what in told if "--port" in what]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("requirements.txt", "torch==2.7\nvllm[audio]==0.8.5  # pinned\n"),
        ("pyproject.toml", '[project]\ndependencies = [\n  "vllm == 0.8.5",\n]\n'),
    ],
)
def test_requirements_beside_a_file_tell_its_release(name: str, text: str, tmp_path: Path) -> None:
    inner = tmp_path / "scripts"
    inner.mkdir()
    (tmp_path / name).write_text(text)
    (inner / "run.sh").write_text(f"#!/bin/sh\n{LINE}\ndocker run vllm/vllm-openai --model a/b\n")
    (inner / "own.py").write_text('from vllm import LLM\nLLM("a/b", dtype="fp16")\n')
    found = {file.path: file.result.launches for file in check_directory(str(tmp_path))}
    assert [launch.version for launch in found["scripts/own.py"]] == ["0.8.5"]
    assert [(launch.line, launch.version) for launch in found["scripts/run.sh"]] == [
        (2, "0.8.5"),
        (3, "0.33.0"),  # what is installed here is not there
    ]


def test_hostile_texts_cost_no_more_than_they_hold() -> None:
    texts = [
        'locals {\n a = "' + '\\"' * 200_000,
        "gcloud run deploy x --image vllm/vllm-openai --args=" + "a," * 100_000,
        "FROM x\n" + "".join(f"COPY <<E{n} /a\n" for n in range(20_000)) + "CMD vllm serve m\n",
        "set -x A b\nset B " + " " * 400_000 + "\nvllm serve m",
        "x\n" * 100_000 + "vllm\n",
    ]
    began = time.process_time()
    for text in texts:
        check_script(text)
    assert time.process_time() - began < 10


def test_the_image_of_a_function_runs_its_python() -> None:
    """The words of a shell around it are no arguments of the image's own server."""
    text = (
        f'img = modal.Image.from_registry("{IMAGE}")\n@app.function(image=img)\ndef go():\n'
        '    from vllm import LLM\n    LLM("a/b", dtype="fp16")\n'
    )
    (launch,) = check_script(text).launches
    assert [(one.argument, one.refused) for one in launch.verdicts] == [("--dtype", True)]
    assert launch.version == "0.8.5"


def test_all_arguments_in_a_dictionary_are_told_as_open() -> None:
    (launch,) = check_script("from vllm import LLM\nLLM(**given)\n").launches
    assert [(one.argument, one.verdict) for one in launch.verdicts] == [("{options}", "assumed")]


def test_the_prompt_of_a_line_that_goes_on_is_no_redirection() -> None:
    shown = "$ vllm serve a/b \\\n>   --dtype fp16 \\\n> --max-model-len 4096\n"
    for text in (shown, f"```console\n{shown}```\n"):
        (launch,) = check_script(text).launches
        arguments = [(one.argument, one.refused) for one in launch.verdicts]
        assert arguments == [("--dtype", True), ("--max-model-len", False)]
    (written,) = check_script("vllm serve a/b \\\n> log --dtype auto\n").launches
    assert [one.argument for one in written.verdicts] == ["--dtype"]


def test_python_with_nothing_but_a_name_behind_it() -> None:
    for text in ('python[" "vllm', "python3 sglang", "python vllm", 'sh -c "python vllm"'):
        assert not check_script(text).launches
