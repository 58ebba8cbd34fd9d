"""What one engine release knows of a single argument, read from the catalogue's files."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import quantmap
from quantmap import _core

CATALOGUE = Path(__file__).resolve().parents[2] / "cpp" / "catalog"
GPUS = [
    gpu["id"]
    for gpu in json.loads((CATALOGUE / "hardware.json").read_text(encoding="utf-8"))["classes"]
]
INTEGER = re.compile(r"[+-]?[0-9]+")
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def document(engine: str, name: str) -> Any:
    path = CATALOGUE / "engines" / engine / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8"))


class Release:
    """An engine, and one of its releases unless the mode is documented."""

    def __init__(
        self, engine: str, version: str | None, gpu: str | None, checkpoint: str, model: Any
    ) -> None:
        self.engine = engine
        self.version = version
        self.gpu = gpu or "unknown"
        self.checkpoint = checkpoint
        self.attention = "unknown"  # nothing of a model is inspected here
        self.model = model
        self.config_flag = next(e["config_flag"] for e in _core.engines() if e["id"] == engine)
        self.aliases = next(e["flags"] for e in _core.engines() if e["id"] == engine)
        surface = document(engine, "surface")
        self.numbers = {item["version"]: i for i, item in enumerate(surface["releases"])}
        self.flags = {}
        for name, history in surface["flags"].items() if version else ():
            for interval in history:
                if self.covers(interval):
                    self.flags[name] = interval
        checked = document(engine, "checked")
        self.rules = [rule for rule in checked["rules"] if version and self.covers(rule)]
        self.meanings = [
            item for item in checked.get("meanings", []) if version and self.covers(item)
        ]
        self.targets = checked["targets"]

    def covers(self, item: dict[str, Any]) -> bool:
        """Whether the release lies in since (inclusive) to until (exclusive)."""
        assert self.version is not None
        first = self.numbers.get(item.get("since", ""), 0)
        return first <= self.numbers[self.version] < self.numbers.get(item.get("until", ""), 10**6)

    # ------------------------------------------------------------ which flag is meant

    def identity(self, key: str) -> str:
        """The one name of a flag: the release's own, else the documented one."""
        flag = key if key.startswith("-") else f"--{key}"
        own = self.spelt(flag)
        if own is not None:
            return own
        if flag.startswith("--"):
            head, dot, rest = flag.partition(".")
            flag = "--" + head[2:].replace("_", "-") + dot + rest
        for name, aliases in self.aliases.items():
            if flag in aliases:
                return self.spelt(name) or str(name)
        return flag

    def spelt(self, flag: str) -> str | None:
        """The release's flag of this spelling, dashes and underscores being the same."""
        spellings = [flag]
        if flag.startswith("--"):
            spellings += ["--" + flag[2:].replace("_", "-"), "--" + flag[2:].replace("-", "_")]
        for spelling in spellings:
            for name in sorted(self.flags):
                if spelling == name or spelling in self.flags[name].get("aliases", []):
                    return name
        return None

    # ------------------------------------------------------------ what a value means

    def normal(self, flag: str, value: Any) -> Any:
        """A value as it is compared: numbers of numeric flags in one spelling."""
        kind = self.flags.get(flag, {}).get("type")
        if not isinstance(value, str):
            return value
        if kind == "int" and INTEGER.fullmatch(value):
            return str(int(value))
        if kind == "float" and NUMBER.fullmatch(value):
            number = float(value)
            if abs(number) != float("inf"):
                return repr(number + 0.0)  # minus zero is zero
        return value

    def is_default(self, flag: str, value: Any) -> bool:
        """Whether the release would do the same without the argument."""
        default = self.flags.get(flag, {}).get("default")
        if default is None or isinstance(default, (dict, list)) or default == "":
            return False
        if isinstance(default, bool) or isinstance(value, bool):
            return value is default
        spelled = default if isinstance(default, str) else json.dumps(default)
        return bool(self.normal(flag, value) == self.normal(flag, spelled))

    # ------------------------------------------------------------ what is refused by itself

    def refuses(self, flag: str, value: Any) -> bool:
        """Whether the release refuses this argument whatever stands beside it."""
        result = quantmap.check(
            {flag: value},
            self.engine,
            self.version,
            gpu=None if self.gpu == "unknown" else self.gpu,
            model_quantization=self.model,
        )
        verdict = result.verdicts[0]
        of_a_rule = {rule["text"] for rule in self.rules}
        if verdict.refused and verdict.reason not in of_a_rule:
            return True
        text = value if isinstance(value, str) else json.dumps(value)
        return any(self.rule_refuses(rule, verdict.canonical, text) for rule in self.rules)

    def rule_refuses(self, rule: dict[str, Any], flag: str, value: str) -> bool:
        """Whether a rule about exactly one target holds for this argument."""
        if len(rule["refuse"]) != 1 or rule["stage"] == "no-effect":
            return False
        ((target, values),) = rule["refuse"].items()
        if isinstance(values, dict) and values.keys() != {"not"}:
            return False  # a second target is looked at
        facts = ("has", "lacks", "scheme", "model_dtype", "declared_kv")
        if any(fact in rule for fact in facts):
            return False  # nothing of a model is inspected here
        if isinstance(values, dict):
            matches = value not in values["not"]
        else:
            matches = self.alias(target, value) in values
        names = [route.get("flag") for route in self.targets[target] if "at" not in route]
        kinds = rule.get("checkpoint")
        known = kinds is None or self.checkpoint in kinds
        if kinds and "quantized" in kinds and self.checkpoint != "unquantized":
            known = True
        gpus = rule.get("gpu")
        here = gpus is None or any(self.gpu_in(name) for name in gpus)
        here = here and self.attention in rule.get("model", [self.attention])
        return flag in names and matches and known and here

    def alias(self, target: str, value: str) -> str:
        """What a value stands for whatever the model."""
        for item in self.meanings:
            plain = not {"checkpoint", "gpu", "model_dtype", "declared_kv"} & item.keys()
            if plain and item["target"] == target and value in item["is"]:
                return str(item["means"])
        return value

    def gpu_in(self, name: str) -> bool:
        """`sm80+` and `-sm75` are ranges; a range never includes the unknown GPU."""
        mine = GPUS.index(self.gpu)
        if name.endswith("+"):
            return mine >= GPUS.index(name[:-1])
        if name.startswith("-"):
            return 1 <= mine <= GPUS.index(name[1:])
        return self.gpu == name
