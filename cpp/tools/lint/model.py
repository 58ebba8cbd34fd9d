"""The catalogue as the linter sees it, and what a rule reports."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from compile_catalog.common import cite

TOP_FILES = (
    "fields",
    "dtypes",
    "presets",
    "checkpoints",
    "models",
    "detection",
    "weights",
    "parallel",
    "hardware",
    "recipes",
    "memory",
    "diagnostics",
    "engines",
    "libraries",
    "hosts",
)
LISTS = ("trouble", "loaders")  # of what goes wrong, by file
FORMS = ("four_field", "unified")
CHECKPOINTS = ("unquantized", "quantized")
METHOD = "method"  # the one field whose missing rows are code's business: the fallback chain
ANY = "(any)"  # stands for every value of a field without options

DEFAULT_CODES = ("renamed", "degraded", "dropped")  # of a candidate's outcome

Row = dict[str, Any]
Setting = dict[str, str]  # field id → option; an absent field is missing


@dataclass(frozen=True)
class Finding:
    """One thing wrong: the rule, the file, the place in it, what is wrong and what to do."""

    rule: str
    file: str
    place: str
    problem: str
    cure: str

    def __str__(self) -> str:
        return f"{self.file}: {self.place}: {self.problem} [{self.rule}]\n    cure: {self.cure}"


class DuplicateKeyError(ValueError):
    """A JSON object that gives a key twice."""


def load_json(path: Path) -> Any:
    """The JSON document at `path`.

    Raises:
        DuplicateKeyError: a key is given twice in one object.
        ValueError: the text is not JSON.
        OSError: the file cannot be read.
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        out = dict(pairs)
        if len(out) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise DuplicateKeyError(f"the key {twice!r} is given twice")
        return out

    return cite(json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=unique))


@dataclass
class Engine:
    """One engine's files: the mapping, what its releases accept, and the rows of checked mode."""

    file: str
    data: dict[str, Any]
    checked: dict[str, Any] | None = None
    surface: dict[str, Any] | None = None
    kernels: dict[str, Any] | None = None
    memory: dict[str, Any] | None = None
    trouble: dict[str, Any] | None = None
    loaders: dict[str, Any] | None = None
    messages: dict[str, Any] | None = None

    def beside(self, name: str) -> str:
        """Another file of this engine's folder."""
        return self.file.replace("mapping.json", name)

    def codes(self) -> set[str]:
        """The diagnostics that rows name, of both modes."""
        rows = [*self.rows, *(self.checked["rows"] if self.checked else [])]
        items = [item for row in rows for item in (row, *row["try"])]
        named = {item["code"] for item in items if isinstance(item.get("code"), str)}
        return named | {item["as"] for item in items if item.get("as") in DEFAULT_CODES}

    @property
    def rows(self) -> list[Row]:
        return list(self.data["documented"]["rows"])

    def rows_of(self, field_id: str) -> list[tuple[int, Row]]:
        """The rows of a field with their index in the documented table."""
        return [(i, row) for i, row in enumerate(self.rows) if row["field"] == field_id]

    def place(self, index: int) -> str:
        row = self.rows[index]
        return f"documented.rows[{index}] ({row['field']} is {row['is']})"

    def routes(self, row: Row) -> dict[str, str]:
        """Target → the flag, variable or file place that it names first, for what a row emits."""
        out = {}
        for target in itertools.chain.from_iterable(row["try"]):
            route = self.data["targets"][target][0]
            out[target] = next(
                str(route[kind]) for kind in ("flag", "env", "file") if kind in route
            )
        return out


@dataclass
class Catalog:
    """All documents of a catalogue, and the code that refers to it."""

    root: Path
    documents: dict[str, Any] = field(default_factory=dict)
    engines: list[Engine] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    sources: str = ""  # the text of the C++ sources, for diagnostic codes used there
    scripts: str = ""  # the text of the Python sources, for the same

    @classmethod
    def load(cls, root: Path, source_dirs: list[Path] | None = None) -> Catalog:
        """Reads every file; what cannot be read becomes a finding."""
        out = cls(root)
        for name in TOP_FILES:
            out._read(f"{name}.json", name)
        for path in sorted(root.glob("engines/*/mapping.json")):
            file = path.relative_to(root).as_posix()
            out._read(file, file)
            if file not in out.documents:
                continue
            engine = Engine(file, out.documents[file])
            for name in ("surface", "checked", "kernels", "memory", "messages", *LISTS):
                if (path.parent / f"{name}.json").exists():
                    beside = engine.beside(f"{name}.json")
                    out._read(beside, beside)
                    setattr(engine, name, out.documents.get(beside))
            out.engines.append(engine)
        texts = []
        for directory in source_dirs or []:
            for path in sorted(directory.rglob("*.?pp")):
                texts.append(path.read_text(encoding="utf-8"))
            for path in sorted(directory.rglob("*.py")):
                out.scripts += path.read_text(encoding="utf-8")
        out.sources = "\n".join(texts)
        return out

    def _read(self, file: str, name: str) -> None:
        try:
            self.documents[name] = load_json(self.root / file)
        except (OSError, ValueError) as error:
            cure = "give the key once" if isinstance(error, DuplicateKeyError) else "mend the file"
            self.findings.append(Finding("readable", file, "$", str(error), cure))

    @cached_property
    def fields(self) -> dict[str, dict[str, Any]]:
        return {item["id"]: item for item in self.documents["fields"]["fields"]}

    @cached_property
    def diagnostics(self) -> dict[str, dict[str, Any]]:
        return {item["code"]: item for item in self.documents["diagnostics"]["diagnostics"]}

    def options(self, field_id: str) -> list[str]:
        """The ids of a field's options, borrowed ones included; empty for other kinds."""
        item = self.fields[field_id]
        item = self.fields.get(item.get("options_of", ""), item)
        return [option["id"] for option in item.get("options", [])]

    def asked(self, field_id: str) -> list[str]:
        """What rows can meet: options that no other field completes, or `ANY`."""
        item = self.fields[field_id]
        completed = {o["id"] for o in item.get("options", []) if "completed_by" in o}
        return [o for o in self.options(field_id) if o not in completed] or [ANY]

    def fits(self, field_id: str, option: str, method: str) -> bool:
        item = self.fields[field_id]
        if "fits" not in item:
            return True
        return any(
            method in fit["method"] and (fit["options"] == "*" or option in fit["options"])
            for fit in item["fits"]
        )

    def support(self, field_id: str, engine: Engine) -> set[str]:
        """The fields that decide which row of a field matches, the field itself included."""
        out = {field_id}
        for _, row in engine.rows_of(field_id):
            when = row.get("when", {})
            out |= set(when) - {"checkpoint", "same_as"}
            out |= {when["same_as"]} if "same_as" in when else set()
        if any(self.fields[name].get("unfit", {}).get("drops") for name in out):
            out.add(METHOD)
        return out

    def settings(self, names: set[str]) -> Iterator[Setting]:
        """Every way to set these fields; a default or nothing counts as a way."""
        ordered = sorted(names)
        choices = []
        for name in ordered:
            absent = [] if "default" in self.fields[name] else [""]
            choices.append(self.asked(name) + absent)
        for values in itertools.product(*choices):
            setting = {name: value for name, value in zip(ordered, values) if value}
            drops = [
                name
                for name, value in setting.items()
                if self.fields[name].get("unfit", {}).get("drops")
                and not self.fits(name, value, setting.get(METHOD, ""))
            ]
            if not drops:  # a dropped field is the same as an absent one
                yield setting

    def checkpoints(self, field_id: str) -> tuple[str, ...]:
        """The unified form does not look at the model's own quantization."""
        return CHECKPOINTS if self.fields[field_id]["form"] == "four_field" else CHECKPOINTS[:1]


def matches(row: Row, setting: Setting, checkpoint: str) -> bool:
    """Whether a row matches, read as GUIDELINES.md says."""
    value = setting[row["field"]]
    if row["is"] != "*" and value not in row["is"]:
        return False
    for name, wanted in row.get("when", {}).items():
        if name == "checkpoint":
            if checkpoint not in wanted:
                return False
        elif name == "same_as":
            if setting.get(wanted) != value:
                return False
        elif setting.get(name) not in wanted:
            return False
    return True


def first_match(rows: list[tuple[int, Row]], setting: Setting, checkpoint: str) -> int | None:
    """The index of the row that decides, or None."""
    for index, row in rows:
        if matches(row, setting, checkpoint):
            return index
    return None
