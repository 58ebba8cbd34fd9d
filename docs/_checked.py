"""Generated tables about checked mode: every release of every engine."""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Iterable
from typing import Any

import quantmap
from _render import SYMBOLS, code, codes, decision_of, documented_engines, engines, fields, table
from quantmap import _core
from quantmap.errors import refuses_whole

GPU = "H100"  # the GPU of the second column of a matrix
GPUS = ("V100", "T4", "A100", "L40S", "H100", "B200", "RTX 5090")
MODELS = {"unquantized": None, "AWQ": "awq", "FP8": "fp8"}
CHECKPOINTS = (
    None,
    "awq",
    "gptq",
    "fp8",
    "compressed-tensors",
    "modelopt",
    "modelopt_fp4",
    "mxfp4",
    "gguf",
    "bitsandbytes",
    "auto-round",
)
THROUGHOUT = {"gemm_dtype": "fp8", "kvcache_dtype": "fp8", "attention_dtype": "fp8"}
_EXPLAINED = ("applied", "renamed", "replaced")  # outcomes that need no reason here


@functools.cache
def releases(engine: str) -> tuple[str, ...]:
    """The known releases of an engine, oldest first."""
    return tuple(release["version"] for release in _core.releases(engine))


def span(engine: str, first: str, last: str) -> str:
    """A stretch of releases in words."""
    known = releases(engine)
    if (first, last) == (known[0], known[-1]):
        return "all"
    if last == known[-1]:
        return f"from {first}" if first != last else first
    return first if first == last else f"{first} to {last}"


def stretches(
    engine: str, ask: Callable[[str], Hashable], versions: Iterable[str] | None = None
) -> list[tuple[str, str, Any]]:
    """Neighbouring releases with the same answer: first, last, answer."""
    out: list[list[Any]] = []
    for version in versions or releases(engine):
        answer = ask(version)
        if out and out[-1][2] == answer:
            out[-1][1] = version
        else:
            out.append([version, version, answer])
    return [(first, last, answer) for first, last, answer in out]


def _serves(engine: str, version: str, model: str | None, gpu: str | None) -> bool:
    mapping = quantmap.explain(engine, {}, None, model, engine_version=version, gpu=gpu)
    return not any(refuses_whole(item) for item in mapping.diagnostics)


@functools.cache
def _refusals(engine: str, version: str, model: str | None) -> tuple[int, int, int]:
    found = _core.documented_refusals(engine, version, model)
    if not _serves(engine, version, model, None):
        return found["asked"], -1, found["launches"]
    return found["asked"], found["refused"], found["launches"]


def _share(counts: tuple[int, int, int]) -> str:
    asked, refused, _ = counts
    if refused < 0:
        return "cannot be served"
    return f"{refused:,} ({100 * refused / asked:.1f} %)"


def acceptance() -> str:
    """How much of the documented grid each release refuses."""
    parts = []
    for engine in documented_engines():
        name = engine["id"]
        rows = [
            [span(name, first, last), *(_share(counts) for counts in answer)]
            for first, last, answer in stretches(
                name,
                lambda version, name=name: tuple(
                    _refusals(name, version, model) for model in MODELS.values()
                ),
            )
        ]
        asked, _, launches = _refusals(name, releases(name)[-1], None)
        header = ["releases", *(f"{model} model" for model in MODELS)]
        parts.append(
            f"### Refused by {engine['name']}\n\nOf {asked:,} configs, which are {launches} "
            f"different launches of an unquantized model:\n\n{table(header, rows)}"
        )
    return "\n\n".join(parts)


def known_releases(folder: str = "") -> str:
    """What is known of each engine; `folder` leads from the reader's page to that of docs/."""
    rows = []
    for engine in engines():
        known = _core.releases(engine["id"])
        rows.append(
            [
                f"[{engine['name']}]({folder}engines/{engine['id']}.md)",
                str(len(known)),
                f"{known[0]['version']} ({known[0]['date']})",
                f"{known[-1]['version']} ({known[-1]['date']})",
                engine["verified_through"],
            ]
        )
    return table(["engine", "releases", "oldest", "newest", "verified through"], rows)


def engine_releases(engine: dict[str, Any]) -> str:
    """Releases of one engine, and what their argument lists were read from."""
    kinds: dict[str, list[str]] = {}
    for release in _core.releases(engine["id"]):
        name = release["artifact"]
        kind = "wheel" if name.endswith(".whl") else "source archive"
        if not name.endswith((".whl", ".gz", ".zip")):
            kind = "other evidence"
        if not release["whole"]:
            kind += ", not every argument"
        kinds.setdefault(kind, []).append(release["version"])
    lines = [
        f"- {kind}: {len(found)} ({_ends(engine['id'], found)})" for kind, found in kinds.items()
    ]
    known = _core.releases(engine["id"])
    return (
        f"{len(known)} releases: {known[0]['version']} ({known[0]['date']}) to "
        f"{known[-1]['version']} ({known[-1]['date']}). Start-up rules were read through "
        f"{engine['verified_through']}.\n\nThe arguments were read from:\n\n" + "\n".join(lines)
    )


def _ends(engine: str, found: list[str]) -> str:
    if len(found) <= 3:
        return ", ".join(found)
    inside = stretches(engine, lambda version: version in found)
    parts = [
        first if first == last else f"{first} to {last}" for first, last, is_in in inside if is_in
    ]
    return ", ".join(parts) if len(parts) <= 6 else f"between {found[0]} and {found[-1]}"


def _emitted(items: Iterable[tuple[str, Any]]) -> str:
    """Arguments, variables and places in files as Markdown."""
    words: list[str] = []
    for name, value in items:
        file, mark, place = name.partition("#")
        if mark and not name.startswith("-"):
            places = sum(other.startswith(f"{file}#") for other, _ in items)
            shown = f"{file}: {place[1:].replace('/', '.')} {value}" if places == 1 else file
            words += [code(shown)] if code(shown) not in words else []
        else:
            link = " " if name.startswith("-") else "="
            words.append(code(name if value is True else f"{name}{link}{value}"))
    return " ".join(words)


def _reason(decision: quantmap.Decision) -> str:
    """Why it is not applied as asked, without the words that every sentence begins with."""
    if decision.outcome in _EXPLAINED:
        return ""
    return decision.sentence.split(": ", 2)[-1].rstrip(".")


def _cell(decision: quantmap.Decision) -> str:
    return f"{SYMBOLS[decision.outcome]} {_emitted(list(decision.emitted.items()))}".strip()


def matrix(engine: dict[str, Any]) -> str:
    """What each value of the four fields becomes, by releases."""
    parts = []
    for field in fields("four_field"):
        same: dict[tuple[Any, ...], list[str]] = {}
        for option in field["options"]:
            found = tuple(_option_rows(engine["id"], field["key"], option))
            same.setdefault(found, []).append(option)
        rows = [[codes(options), *row] for found, options in same.items() for row in found]
        header = ["value", "releases", "no GPU given", GPU, "why"]
        parts.append(f"### {field['key']}\n\n{_by_gpu(header, rows)}")
    return "\n\n".join(parts) + f"\n\n{LEGEND}"


def _by_gpu(header: list[str], rows: list[list[str]]) -> str:
    """A table; of one column for both where the GPU makes no difference."""
    if any(row[3] != SAME for row in rows):
        return table(header, rows)
    header = [*header[:2], "becomes", *header[4:]]
    return table(header, [[*row[:3], *row[4:]] for row in rows])


def _option_rows(engine: str, key: str, option: str) -> list[tuple[str, str, str, str]]:
    reasons: dict[str, str] = {}

    def ask(version: str) -> tuple[str, str]:
        cells = []
        for gpu in (None, GPU):
            mapping = quantmap.explain(engine, {key: option}, engine_version=version, gpu=gpu)
            decision = decision_of(mapping, key)
            assert decision is not None
            cells.append(_cell(decision))
            reasons[version] = reasons.get(version) or _reason(decision)
        return cells[0], cells[1]

    return [
        (
            span(engine, first, last),
            unknown,
            SAME if known == unknown else known,
            reasons[last],
        )
        for first, last, (unknown, known) in stretches(engine, ask)
    ]


def presets(engine: dict[str, Any]) -> str:
    """What each preset becomes, by releases."""
    rows = []
    for preset in _core.presets():

        def ask(version: str, preset: str = preset["id"]) -> tuple[str, str]:
            cells = []
            for gpu in (None, GPU):
                mapping = quantmap.explain(
                    engine["id"], {"preset": preset}, engine_version=version, gpu=gpu
                )
                mark = _worst(mapping)
                words = [*mapping.args.items(), *mapping.env.items()]
                cells.append(f"{mark} {_emitted(words)}".strip())
            return cells[0], cells[1]

        for first, last, (unknown, known) in stretches(engine["id"], ask):
            shown = SAME if known == unknown else known
            rows.append([code(preset["id"]), span(engine["id"], first, last), unknown, shown])
    return _by_gpu(["preset", "releases", "no GPU given", GPU], rows) + f"\n\n{WORST}"


def _worst(mapping: quantmap.Mapping) -> str:
    order = ("cannot-serve", "dropped", "degraded")
    found = {decision.outcome for decision in mapping.decisions if decision.given or mapping.preset}
    return next((SYMBOLS[outcome] for outcome in order if outcome in found), SYMBOLS["applied"])


def precision(engine: dict[str, Any]) -> str:
    """What FP8 throughout really is, by GPU and releases."""
    parts = ("gemm", "kv", "attention")
    same: dict[tuple[Any, ...], list[str]] = {}
    for gpu in (None, *GPUS):

        def ask(version: str, gpu: str | None = gpu) -> tuple[str, ...]:
            mapping = quantmap.explain(engine["id"], THROUGHOUT, engine_version=version, gpu=gpu)
            if any(refuses_whole(item) for item in mapping.diagnostics):
                return ("cannot be served", *("" for _ in parts))
            words = [*mapping.args.items(), *mapping.env.items()]
            return (_emitted(words) or "nothing", *(mapping.precision[part] for part in parts))

        same.setdefault(tuple(stretches(engine["id"], ask)), []).append(gpu or "no GPU given")
    rows = []
    for found, gpus in same.items():
        shown = "any" if len(same) == 1 else ", ".join(gpus)
        for first, last, cells in found:
            rows.append([shown, span(engine["id"], first, last), *cells])
    return table(["GPU", "releases", "launch", "GEMM", "KV cache", "attention"], rows)


def checkpoints(engine: dict[str, Any]) -> str:
    """Which checkpoints can be served at all, by GPU and releases."""
    name = engine["id"]

    same: dict[tuple[Any, ...], list[str]] = {}
    for model in CHECKPOINTS:

        def ask(version: str, model: str | None = model) -> tuple[str, ...]:
            served = (_serves(name, version, model, gpu) for gpu in (None, *GPUS))
            return tuple(SYMBOLS["applied" if good else "cannot-serve"] for good in served)

        same.setdefault(tuple(stretches(name, ask)), []).append(model or "unquantized")
    rows = []
    for found, models in same.items():
        for first, last, cells in found:
            rows.append([codes(models), span(name, first, last), *cells])
    if all(cell == row[2] for row in rows for cell in row[3:]):
        return table(["checkpoint", "releases", "served"], [row[:3] for row in rows])
    return table(["checkpoint", "releases", "no GPU given", *GPUS], rows)


SAME = "the same"
WORST = "The mark is that of the setting that fares worst."
LEGEND = (
    "✓ applied or renamed · ↓ degraded to the nearest thing · ✗ dropped, or cannot be served · "
    "– ignored. Behind `#` is a place inside a JSON value. "
    f"Where one column stands for both, {GPU} makes no difference."
)
