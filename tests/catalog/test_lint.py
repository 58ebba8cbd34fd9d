"""Each lint rule finds its mistake in a small broken catalogue, and nothing in the real one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SMALL = Path(__file__).with_name("small_catalog.json")
TOOLS = ROOT / "cpp" / "tools"
if str(TOOLS) not in sys.path:
    sys.path.insert(0, str(TOOLS))

import lint_catalog  # noqa: E402
from lint import (  # noqa: E402
    checked_references,
    checked_rows,
    contents,
    references,
    rows,
    schemas,
    trouble,
)
from lint.model import Catalog, Finding  # noqa: E402

MODULES = (schemas, references, checked_references, trouble, contents, rows, checked_rows)
Documents = dict[str, Any]
MAPPING = "engines/one/mapping.json"
DROP = object()  # the key or item goes


def small_catalog() -> Documents:
    """A clean catalogue of five fields and one engine, by file."""
    documents: Documents = json.loads(SMALL.read_text(encoding="utf-8"))
    return documents


def write(root: Path, documents: Documents) -> Path:
    """Writes the documents below `root`."""
    for file, document in documents.items():
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document), encoding="utf-8")
    return root


def run(root: Path, documents: Documents) -> list[Finding]:
    """The findings of a catalogue, with one line of C++ that gives the code `in-code`."""
    source = root / "src" / "use.cpp"
    source.parent.mkdir(parents=True)
    source.write_text("problems.add(Code::kInCode, path);\n", encoding="utf-8")
    return lint_catalog.lint(Catalog.load(write(root / "catalog", documents), [source.parent]))


def change(documents: Documents, path: str, value: Any) -> None:
    """Sets the place, drops it, or, where the path ends in ``+N``, inserts before item N.

    ``ROWS`` and ``ONE`` stand for longer paths; a list item is named by its index, id or code.
    """
    path = path.replace("ROWS", f"{MAPPING}|documented|rows").replace("ONE", MAPPING)
    path = path.replace("CHECKED", MAPPING.replace("mapping", "checked"))
    path = path.replace("TROUBLE", MAPPING.replace("mapping", "trouble"))
    path = path.replace("SURFACE", MAPPING.replace("mapping", "surface"))
    place: Any = documents
    *steps, last = path.split("|")
    steps[:1] = [step if step in documents else f"{step}.json" for step in steps[:1]]
    for step in steps:
        place = place[index_of(place, step)]
    if last.startswith("+"):
        place.insert(int(last[1:]), value)
    elif value is DROP:
        del place[index_of(place, last)]
    else:
        place[index_of(place, last)] = value


def index_of(place: Any, step: str) -> Any:
    """A key of a dict, or the number of an item of a list."""
    if not isinstance(place, list):
        return step
    if step.isdigit():
        return int(step)
    return next(i for i, item in enumerate(place) if step in (item.get("id"), item.get("code")))


# rule, words of the problem, place, what stands there then
GEMM_ROW = {"field": "gemm", "is": ["auto", "fp8"], "try": [{"quant": "="}]}
CONTAINER = {
    "images": [{"since": "1.7", "name": "a/b:v{version}"}],
    "evidence": ["https://a.example"],
}
IDLE = {"code": "idle", "severity": "info", "since": "0.1.0", "template": "x", "hint": ""}
LOUD = {"code": "loud", "severity": "warning", "since": "0.1.0", "template": "x", "hint": "y"}
VARIANT = {"method": "none", "variant": "a"}
COMPLETION = {"field": "variant", "default": "a", "with": {"a": "none"}}
ENTRY = {
    "id": "again",
    "effect": "crash",
    "text": "it stops",
    "seen": ["1.1"],
    "evidence": ["https://github.com/one/one/pull/2"],
}
REPORTED = {**{k: v for k, v in ENTRY.items() if k != "seen"}, "dated": "2026-01"}
BREAKS: list[tuple[str, str, str, Any]] = [
    ("schema-valid", "'extra' was unexpected", "dtypes|extra", 1),
    ("schema-valid", "'form' is a required", "fields|fields|gemm|form", DROP),
    ("schema-valid", "", "fields|fields|gemm|section", "quantization"),
    ("schema-valid", "'min' is a required", "fields|fields|tp|min", DROP),
    ("schema-valid", "", "diagnostics|diagnostics|loud|hint", ""),
    ("schema-valid", "is not one of", "ROWS|6|outcome", "fallback"),
    ("schema-valid", "", "ROWS|0|evidence", []),
    ("schema-valid", "", "ROWS|0|try|+1", {"quant": "x"}),
    ("schema-valid", "", "presets|presets|fast|engines|one", "half"),
    ("schema-valid", "", "checkpoints|unquantized_names", ["None"]),
    ("schema-valid", "", "hardware|evidence", DROP),
    ("schema-valid", "", "engines|order", "one"),
    ("schema-valid", "", "ONE|targets|env", [{"env": "lower_case"}]),
    ("schema-valid", "", "checkpoints|kinds", []),
    ("schema-valid", "'classes' is a required", "hardware|classes", DROP),
    ("schema-valid", "'launchers' is a required", "ONE|launchers", DROP),
    ("schema-valid", "is not one of", "CHECKED|rows|2|try|1|as", "weakened"),
    ("schema-valid", "", "CHECKED|rules|too-old|evidence", []),
    ("schema-valid", "", "CHECKED|rules|too-old|text", "Ends so."),
    ("schema-valid", "", "CHECKED|precision|0|of", "bias"),
    ("schema-valid", "", "CHECKED|verified_through", "soon"),
    ("schema-valid", "", "SURFACE|releases|0|sha256", "00"),
    ("schema-valid", "is not one of", "SURFACE|flags|--tp|0|type", "number"),
    ("fields-refer", "no option 'no'", "fields|fields|gemm|default", "no"),
    ("fields-refer", "no section 'no'", "fields|fields|method|section", "no"),
    ("fields-refer", "no key 'no'", "fields|sections|quantization|requires", "no"),
    ("fields-refer", "no method 'no'", "fields|fields|variant|fits|0|method", ["no"]),
    ("fields-refer", "no option 'no'", "fields|fields|variant|fits|0|options", ["no"]),
    ("fields-refer", "no diagnostic", "fields|fields|variant|unfit|code", "no"),
    ("fields-refer", "no option 'no'", "fields|fields|method|options|fp8|plain", "no"),
    ("fields-refer", "no pair 'b'", "fields|fields|method|options|fp8|completed_by", COMPLETION),
    ("rows-refer", "no field 'no'", "ROWS|0|field", "no"),
    ("rows-refer", "no option of gemm 'no'", "ROWS|0|is", ["no"]),
    ("rows-refer", "no field 'no'", "ROWS|6|when", {"no": ["b"]}),
    ("rows-refer", "no field 'no'", "ROWS|2|when", {"same_as": "no"}),
    ("rows-refer", "no option of variant 'no'", "ROWS|6|when", {"variant": ["no"]}),
    ("rows-refer", "no target 'no'", "ROWS|0|try", [{"no": "="}]),
    ("rows-refer", "no target 'no'", "ROWS|0|replaces", ["no"]),
    ("rows-refer", "no diagnostic 'no'", "ROWS|1|code", "no"),
    ("rows-refer", "no section 'no'", "ONE|documented|unsupported|+1", {"section": "no"}),
    ("rows-refer", "no option 'no'", "ONE|documented|unsupported|0|is", ["no"]),
    ("rows-refer", "no field 'no'", "ONE|documented|unsupported|0|field", "no"),
    ("engines-agree", "no engine 'two'", "engines|order", ["one", "two"]),
    ("engines-agree", "not in engines.json", "engines|order", ["two"]),
    ("engines-agree", "in folder 'one'", "ONE|id", "uno"),
    ("engines-agree", "first runtime name", "ONE|runtime_names", ["uno", "one"]),
    ("engines-agree", "--tp is not in flags", "ONE|flags|--tp", DROP),
    ("order-complete", "'moe' is missing", "ONE|order|four_field", ["gemm"]),
    ("order-complete", "'tp' is missing", "ONE|order|unified", ["method"]),
    ("order-complete", "not a field", "ONE|order|unified|+0", "gemm"),
    ("presets-refer", "engines are", "presets|presets|fast|engines|two", "full"),
    ("presets-refer", "no architecture", "presets|presets|fast|hardware", "old"),
    ("checked-refer", "no field 'no'", "CHECKED|rows|0|field", "no"),
    ("checked-refer", "no option of gemm 'no'", "CHECKED|rows|0|is", ["no"]),
    ("checked-refer", "no option of tp 'no'", "CHECKED|rows|3|when", {"tp": ["no"]}),
    ("checked-refer", "no target 'no'", "CHECKED|rows|3|try", [{"no": "="}]),
    ("checked-refer", "no diagnostic 'no'", "CHECKED|rows|0|try|0|code", "no"),
    ("checked-refer", "no checkpoint 'no'", "CHECKED|rows|1|when", {"checkpoint": ["no"]}),
    ("checked-refer", "no gpu 'sm70+'", "CHECKED|rows|3|when", {"gpu": ["sm70+"]}),
    ("checked-refer", "no gpu 'unknown+'", "CHECKED|rules|too-old|gpu", ["unknown+"]),
    ("checked-refer", "no model 'no'", "CHECKED|rows|3|when", {"model": ["no"]}),
    ("checked-refer", "no model 'no'", "CHECKED|rules|too-old|model", ["no"]),
    ("checked-refer", "no target 'no'", "CHECKED|rules|too-old|refuse", {"no": ["x"]}),
    ("checked-refer", "no target 'no'", "CHECKED|precision|0|when", {"no": ["x"]}),
    ("routes-exist", "no release has --no", "CHECKED|targets|tp", [{"flag": "--no"}]),
    ("routes-exist", "no release has --experts", "CHECKED|targets|moe", [{"flag": "--experts"}]),
    ("routes-exist", "no release has NO", "CHECKED|targets|moe|1|env", "NO"),
    ("versions-known", "until 1.7 is no", "CHECKED|rules|by-hand|until", "1.7"),
    ("versions-known", "verified_through 2.0", "CHECKED|verified_through", "2.0"),
    ("versions-known", "since 1.7 is no", "ONE|container", CONTAINER),
    ("versions-known", "no release lies", "CHECKED|rules|by-hand|since", "1.1"),
    ("evidence-named", "nothing cites it", "CHECKED|evidence", {"a": "https://a.example"}),
    ("sources-formed", "'hearsay' names", "CHECKED|rows|2|evidence", ["hearsay"]),
    ("sources-formed", "one-1.2.tar.gz", "CHECKED|rows|2|evidence", ["one-1.2.tar.gz a.py, B"]),
    ("checked-unique", "'too-old' is given", "CHECKED|rules|by-hand|id", "too-old"),
    ("checked-unique", "no row emits it", "CHECKED|targets|more", [{"flag": "--tp"}]),
    ("trouble-refers", "no target 'none'", "TROUBLE|trouble|goes-wrong|when", {"none": ["q8"]}),
    ("trouble-refers", "no gpu 'sm70'", "TROUBLE|trouble|goes-wrong|gpu", ["sm70"]),
    ("trouble-refers", "no has 'wings'", "TROUBLE|trouble|goes-wrong|has", ["wings"]),
    ("trouble-dated", "since 1.7 is no", "TROUBLE|trouble|goes-wrong|since", "1.7"),
    ("trouble-dated", "no release lies", "TROUBLE|trouble|goes-wrong|until", "1.1"),
    ("trouble-dated", "names no release", "TROUBLE|trouble", [REPORTED]),
    ("trouble-read", "names no thread", "TROUBLE|trouble|goes-wrong|evidence", ["hearsay"]),
    ("trouble-read", "nothing is known", "TROUBLE|trouble|goes-wrong|checkpoint", ["unquantized"]),
    ("trouble-read", "given twice", "TROUBLE|trouble", [ENTRY, ENTRY]),
    ("precision-complete", "no row of 'kv'", "CHECKED|precision|2|when", {"quant": ["fp8"]}),
    ("precision-complete", "holds always", "CHECKED|precision|+5", {"of": "kv", "is": "more"}),
    ("checked-complete", "no row matches 'rare'", "CHECKED|rows|5|is", ["none"]),
    ("checked-complete", "gpu unknown", "CHECKED|rows|4|when", {"gpu": ["sm80"]}),
    ("checked-complete", "model unknown", "CHECKED|rows|4|when", {"model": ["round"]}),
    ("checked-complete", "every case of this one", "CHECKED|rows|+3", GEMM_ROW),
    ("checked-complete", "every case of 'auto'", "CHECKED|rows|2|is", ["auto", "fp8"]),
    ("checked-told", "is an error", "CHECKED|rows|0|try|0|code", "in-code"),
    ("checked-told", "with code 'applied'", "CHECKED|rows|2|try|1|code", "applied"),
    ("checked-told", "nobody is told", "CHECKED|rows|2|try|1|code", "quiet"),
    ("checked-told", "emits nothing", "CHECKED|rows|0|try|0|code", "applied"),
    ("exhaustive", "no row matches 'fp8'", "ROWS|0|is", ["auto"]),
    ("exhaustive", "'variant': 'a'", "ROWS|7|when", {"variant": ["b"]}),
    ("exhaustive", "no row matches 'fp8'", "ROWS|4|when", {"checkpoint": ["quantized"]}),
    ("exhaustive", "no row matches '(any)'", "ROWS|8|when", {"method": ["fp8"]}),
    ("reachable", "every case of this one", "ROWS|+1", GEMM_ROW),
    ("reachable", "every case of 'auto'", "ROWS|4|is", ["auto", "fp8"]),
    ("reachable", "every case of this one", "ROWS|5|when", {"variant": ["a"]}),
    ("grouped", "the fields come as", "ONE|order|unified", ["tp", "method"]),
    ("grouped", "do not stand together", "ROWS|+5", GEMM_ROW),
    ("replaces-truly", "without saying so", "ROWS|4|replaces", DROP),
    ("replaces-truly", "no earlier field sets", "ROWS|3|replaces", ["moe"]),
    ("replaces-truly", "without saying so", "ROWS|8|try", [{"tp": "=", "quant": "fp8"}]),
    ("never-accepted-here", "which the row does not", "ROWS|0|never_accepted", {"moe": "-"}),
    ("never-accepted-here", "without evidence", "ROWS|0|never_accepted", {"quant": "-"}),
    ("never-accepted-here", "without evidence", "ONE|documented|never_accepted", {"tp": "-"}),
    ("never-accepted-here", "which no row emits", "ONE|documented|never_accepted", {"no": "-"}),
    ("targets-used", "no row emits it", "ONE|targets|old", [{"env": "OLD"}]),
    ("outcome-explained", "is an error", "ROWS|1|code", "in-code"),
    ("outcome-explained", "nobody is told", "ROWS|6|code", "quiet"),
    ("outcome-explained", "with code 'applied'", "ROWS|0|outcome", "ignored"),
    ("outcome-explained", "emits nothing", "ROWS|1|code", DROP),
    ("presets-valid", "is none of", "presets|presets|fast|config|gemm", "x"),
    ("presets-valid", "not a key", "presets|presets|fast|config|tp", 2),
    ("presets-valid", "missing", "presets|presets|fast|config|moe", DROP),
    ("presets-valid", "not an integer", "presets|presets|big|config|tp", 9),
    ("presets-valid", "not an integer", "presets|presets|big|config|tp", True),
    ("presets-valid", "does not fit", "presets|presets|big|config|quantization", VARIANT),
    ("templates-fillable", "fills {valeu}", "diagnostics|diagnostics|loud|template", "{valeu}"),
    ("templates-fillable", "fills {known}", "diagnostics|diagnostics|quiet|template", "{known}"),
    ("templates-fillable", "a brace", "diagnostics|diagnostics|quiet|hint", "{value"),
    ("codes-used", "nothing gives it", "diagnostics|diagnostics|+4", IDLE),
    ("unique", "'fp8' is given", "dtypes|dtypes|fp8_a|spellings|+1", "fp8"),
    ("unique", "'fast' is given", "presets|presets|big|id", "fast"),
    ("unique", "'preset' is given", "fields|fields|tp|key", "preset"),
    ("unique", "'method' is given", "fields|fields|variant|key", "method"),
    ("unique", "'a' is given", "fields|fields|variant|options|+1", {"id": "a", "title": "again"}),
    ("unique", "'moe' is given", "fields|fields|gemm|key", "moe"),
    ("unique", "'--moe' is given", "ONE|flags|--quant|aliases", ["--moe"]),
    ("unique", "'loud' is given", "diagnostics|diagnostics|+2", LOUD),
    ("dtypes-known", "not a spelling", "dtypes|dtypes|fp8|spellings", ["f8"]),
    ("dtypes-known", "no dtype 'fp9'", "dtypes|dtypes|fp8_a|family", "fp9"),
    ("sorted-tables", "compute_cap", "hardware|architectures|any|compute_capability", 91),
    ("sorted-tables", "severities are mixed", "diagnostics|diagnostics|in-code|severity", "info"),
    ("evidence-formed", "'the source'", "ROWS|0|evidence", ["the source"]),
    ("evidence-formed", "'a/b c.py'", "hardware|evidence", ["a/b c.py"]),
    ("evidence-formed", "'hearsay'", "presets|presets|fast|source", "hearsay"),
]


def test_small_catalog_is_clean(tmp_path: Path) -> None:
    assert run(tmp_path, small_catalog()) == []


def test_a_source_is_cited_by_its_name(tmp_path: Path) -> None:
    documents = small_catalog()
    change(documents, "CHECKED|evidence", {"thread-7": "https://a.example/7"})
    change(documents, "CHECKED|rows|2|evidence", ["thread-7"])
    catalog = write(tmp_path / "catalog", documents)
    loaded = Catalog.load(catalog)
    checked = next(one.checked for one in loaded.engines if one.checked)
    assert checked["rows"][2]["evidence"] == ["https://a.example/7"]
    assert run(tmp_path / "named", documents) == []
    change(documents, "CHECKED|rows|1|evidence", ["https://a.example/7"])
    (finding,) = run(tmp_path / "in full", documents)
    assert finding.rule == "evidence-named" and "has a name" in finding.problem


@pytest.mark.parametrize(
    ("rule", "words", "place", "value"), BREAKS, ids=[f"{i}-{b[0]}" for i, b in enumerate(BREAKS)]
)
def test_rule_finds_its_mistake(
    tmp_path: Path, rule: str, words: str, place: str, value: Any
) -> None:
    documents = small_catalog()
    change(documents, place, value)
    findings = [finding for finding in run(tmp_path, documents) if finding.rule == rule]
    assert findings, "the rule found nothing"
    assert any(words in finding.problem for finding in findings), findings
    for finding in findings:
        assert finding.file and finding.place and finding.problem and finding.cure


def test_every_rule_has_a_broken_catalogue() -> None:
    everything = [rule for module in MODULES for rule in module.RULES]
    names = {function.__name__.replace("_", "-") for function in everything}
    assert names == {rule for rule, *_ in BREAKS}
    assert sum(len(stage) for stage in lint_catalog.STAGES) == len(everything)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "Expecting"),
        ('{"schema": 1, "schema": 1}', "'schema' is given twice"),
        ("", "No such"),
    ],
)
def test_unreadable_file(tmp_path: Path, text: str, words: str) -> None:
    root = write(tmp_path, small_catalog())
    (root / "engines.json").unlink()
    if text:
        (root / "engines.json").write_text(text, encoding="utf-8")
    (finding,) = lint_catalog.lint(Catalog.load(root))
    assert finding.file == "engines.json" and words in finding.problem


def test_schemas_are_schemas() -> None:
    from jsonschema import Draft202012Validator

    names = {path.name.split(".")[0] for path in schemas.SCHEMAS.glob("*.schema.json")}
    for name in names:
        Draft202012Validator.check_schema(schemas.schema(name))
        assert schemas.schema(name)["$id"] == f"{name}.schema.json"
    documents = {path.stem for path in (ROOT / "cpp" / "catalog").glob("*.json")}
    assert documents | {"mapping", "surface", "checked"} <= names


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the linter as a program."""
    return subprocess.run(
        [sys.executable, str(TOOLS / "lint_catalog.py"), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_command_says_file_place_and_cure(tmp_path: Path) -> None:
    documents = small_catalog()
    change(documents, "ROWS|0|is", ["auto"])
    (tmp_path / "use.cpp").write_text("Code::kInCode", encoding="utf-8")
    done = command("--catalog", str(write(tmp_path, documents)), "--sources", str(tmp_path))
    assert done.returncode == 1
    assert f"{MAPPING}: documented.rows of gemm: no row matches 'fp8'" in done.stdout
    assert "cure: add a row for gemm" in done.stdout


def test_command_is_content_with_the_catalogue() -> None:
    done = command()
    assert (done.returncode, done.stdout, done.stderr) == (0, "the catalogue is clean\n", "")
