"""The format of sglang-jax rules files: the one table of its keys and values, and their checks."""

from __future__ import annotations

import difflib
import re

from . import _core
from .errors import ConfigError, Diagnostic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

DTYPES = ("int8", "float8_e4m3fn", "float8_e5m2", "bfloat16", "float32")
TOP_KEYS = ("quantization",)
FILE_KEYS = (
    "linear",
    "moe",
    "is_static_checkpoint",
    "ignored_layers",
    "weight_block_size",
    "allow_narrow_n_blockwise",
)
RULE_KEYS = ("module_path", "weight_dtype", "activation_dtype", "weight_block_size")
RULE_ALIASES = {"weight_qtype": "weight_dtype", "act_qtype": "activation_dtype"}
MOE_KEYS = ("weight_dtype", "activation_dtype")
DOCUMENTED = "dense"  # what the documents call `linear`

MAX_RULES = 1000
MAX_STATES = 100_000  # of all patterns together: what one look-up may cost
MAX_IGNORED = 10_000
MAX_NAME = 1000

# A path as the engine walks it; a linear layer is an attribute, so it ends with a name.
_ATTRIBUTE = r"[A-Za-z_][A-Za-z0-9_]*"
_STEPS = rf"(?:{_ATTRIBUTE}(?:\[[0-9]+\])*%s)*{_ATTRIBUTE}"
# Lists of the library's own kind are modules, whose attributes are numbers.
_WALKED = re.compile(_STEPS % "(?:/[0-9]+)*/")
_DOTTED = re.compile(_STEPS % r"\.")


def walked(module_path: Any) -> str:
    """A path as the engine walks it, from that form or from one with dots.

    Raises:
        ConfigError: it is neither.
    """
    path = module_path if isinstance(module_path, str) else ""
    if len(path) <= MAX_NAME:
        if "/" not in path:
            path = re.sub(r"\.([0-9]+)(?=\.|$)", r"[\1]", path).replace(".", "/")
        if _WALKED.fullmatch(path):
            return path
    context = {"value": repr(module_path)[:80]}
    raise ConfigError([_core.make_diagnostic("bad-module-path", "module_path", context)])


def ignored_name(entry: str) -> str:
    """An entry of ``ignored_layers`` as the engine compares it with dotted paths of linear layers.

    It rewrites ``.0.`` to ``[0].``, and one match does not overlap the next.
    """
    return re.sub(r"\.(\d+)\.", r"[\1].", entry)


def quoted(text: str) -> str:
    """A text for one line of a message: backslashes as they are, control characters escaped."""
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text[:200])
    return f"'{shown}{'...' if len(text) > 200 else ''}'"


class Format:
    """Checks one file and collects what is wrong with it.

    Attributes:
        problems: the errors.
        notes: what the engine reads otherwise than written, or not at all.
        states: how many states the patterns have, together.
    """

    def __init__(self) -> None:
        self.problems: list[Diagnostic] = []
        self.notes: list[Diagnostic] = []
        self.states = 0

    def read(self, data: Any) -> dict[str, Any]:
        """The checked contents; meaningless when there are problems."""
        out: dict[str, Any] = {"rules": [], "moe": {}}
        top = self._section(data, "$", TOP_KEYS)
        if top is None:
            return out
        body = self._part(top, "$", TOP_KEYS[0], (*FILE_KEYS, DOCUMENTED))
        if body is None:
            return out
        path = f"$.{TOP_KEYS[0]}"
        linear = FILE_KEYS[0]
        if DOCUMENTED in body:
            if linear in body:
                self._not_read(f"{path}.{DOCUMENTED}", DOCUMENTED, linear)
            else:
                self._note("key-renamed", f"{path}.{DOCUMENTED}", first=DOCUMENTED, second=linear)
                linear = DOCUMENTED
        out["weight_block_size"] = self._block(body, path)
        for key in ("is_static_checkpoint", "allow_narrow_n_blockwise"):
            out[key] = self._flag(body, path, key)
        out["ignored_layers"] = self._ignored(body, path)
        section = self._part(body, path, linear, ("rules",))
        if section is not None:
            out["rules"] = self._rules(section, f"{path}.{linear}", out["weight_block_size"])
        moe = self._part(body, path, "moe", MOE_KEYS)
        if moe is not None:
            out["moe"] = {key: self._dtype(moe, f"{path}.moe", key) for key in MOE_KEYS}
        return out

    def _rules(
        self, section: dict[Any, Any], path: str, block: list[int] | None
    ) -> list[dict[str, Any]]:
        rules = section.get("rules")
        path = f"{path}.rules"
        if rules is None or rules in ([], ()):
            self._problem("missing-key", path, key="rules", hint="write at least one rule")
            return []
        if not isinstance(rules, (list, tuple)):
            self._wrong_type(path, "a list", rules)
            return []
        if len(rules) > MAX_RULES:
            self._problem("over-limit", path, got=f"{len(rules)} rules", known=f"{MAX_RULES} rules")
            return []
        out = [self._rule(item, f"{path}[{index}]", block) for index, item in enumerate(rules)]
        if self.states > MAX_STATES:
            got = f"{self.states} states of all patterns"
            self._problem("over-limit", path, got=got, known=f"{MAX_STATES}")
        found = [rule for rule in out if rule is not None]
        if not self.problems:
            self._note_idle(found, path)
        return found

    def _rule(self, item: Any, path: str, block: list[int] | None) -> dict[str, Any] | None:
        section = self._section(item, path, (*RULE_KEYS, *RULE_ALIASES))
        if section is None:
            return None
        rule = dict(section)
        for alias, key in RULE_ALIASES.items():
            if alias not in rule:
                continue
            if key in rule:
                self._not_read(f"{path}.{alias}", alias, key)
            else:
                rule[key] = rule[alias]
        pattern, key = rule.get("module_path"), "module_path"
        matcher = None
        if pattern is None:
            self._problem("missing-key", f"{path}.{key}", key=key, hint="'.*' takes every module")
        else:
            try:
                matcher = _core.read_pattern(pattern, f"{path}.{key}")
                self.states += matcher.size()
            except ConfigError as error:
                self.problems += error.diagnostics
        weights = self._dtype(rule, path, "weight_dtype", required=True)
        activations = self._dtype(rule, path, "activation_dtype")
        if "weight_block_size" in rule:
            block = self._block(rule, path)
        return {
            "pattern": pattern,
            "weight_dtype": weights,
            "activation_dtype": activations,
            "weight_block_size": block,
            "matcher": matcher,
        }

    def _note_idle(self, rules: list[dict[str, Any]], path: str) -> None:
        """Notes on rules, and parts of patterns, that decide nothing."""
        first: int | None = None
        for index, rule in enumerate(rules):
            place, value = f"{path}[{index}].module_path", quoted(rule["pattern"])
            matcher = rule["matcher"]
            dead = matcher.dead_part()
            if first is not None:
                self._note("rule-never-wins", place, value=value, first=f"rule {first}")
            elif not matcher.can_match_path():
                reason = "names are divided by slashes, and list items are written [0] or /0"
                self._note("matches-nothing", place, value=value, reason=reason)
            elif dead is not None:
                self._note("part-matches-nothing", place, value=value, column=str(dead))
            if first is None and matcher.always():
                first = index

    def _ignored(self, body: dict[Any, Any], path: str) -> list[str]:
        given, path = body.get("ignored_layers"), f"{path}.ignored_layers"
        if given is None:
            return []
        if not isinstance(given, (list, tuple)):
            self._wrong_type(path, "a list", given)
            return []
        if len(given) > MAX_IGNORED:
            self._problem(
                "over-limit", path, got=f"{len(given)} names", known=f"{MAX_IGNORED} names"
            )
            return []
        for index, entry in enumerate(given):
            place = f"{path}[{index}]"
            if not isinstance(entry, str):
                self._wrong_type(place, "a string", entry)
            elif len(entry) > MAX_NAME:
                self._problem(
                    "over-limit", place, got=f"{len(entry)} characters", known=f"{MAX_NAME}"
                )
            elif not _DOTTED.fullmatch(ignored_name(entry)):
                reason = "it is compared with the end of paths such as model.layers.0.mlp.up_proj"
                self._note("matches-nothing", place, value=quoted(entry), reason=reason)
        return [entry for entry in given if isinstance(entry, str)]

    def _dtype(
        self, section: dict[Any, Any], path: str, key: str, required: bool = False
    ) -> str | None:
        value, path = section.get(key), f"{path}.{key}"
        if value is None:
            if required:
                self._problem(
                    "missing-key", path, key=key, hint=f"write one of {', '.join(DTYPES)}"
                )
            return None
        if not isinstance(value, str):
            self._wrong_type(path, "a string or null", value)
        elif value not in DTYPES:
            near = difflib.get_close_matches(value[:100], DTYPES, 1)
            hint = f"did you mean {near[0]!r}?" if near else "write one of those, or null"
            known = ", ".join(DTYPES)
            context = {"value": repr(value)[:80], "field": key, "known": known, "hint": hint}
            self._problem("unknown-value", path, **context)
        else:
            return value
        return None

    def _block(self, section: dict[Any, Any], path: str) -> list[int] | None:
        value, path = section.get("weight_block_size"), f"{path}.weight_block_size"
        if value is None:
            return None
        if isinstance(value, (list, tuple)) and len(value) == 2:
            sizes = [size for size in value if type(size) is int]
            if len(sizes) == 2 and all(0 < size <= 1 << 31 for size in sizes):
                return sizes
        self._wrong_type(path, "two positive integers, [n, k]", value)
        return None

    def _flag(self, section: dict[Any, Any], path: str, key: str) -> bool:
        value = section.get(key)
        if value is not None and not isinstance(value, bool):
            self._wrong_type(f"{path}.{key}", "true or false", value)
        return value is True

    def _part(
        self, section: dict[Any, Any], path: str, key: str, known: tuple[str, ...]
    ) -> dict[Any, Any] | None:
        """A section that must be there and not be empty."""
        path = f"{path}.{key}"
        if section.get(key) is None or section[key] == {}:
            hint = f"the section has {', '.join(known[:2])}"
            self._problem("missing-key", path, key=key, hint=hint)
            return None
        return self._section(section[key], path, known)

    def _section(self, value: Any, path: str, known: tuple[str, ...]) -> dict[Any, Any] | None:
        if not isinstance(value, dict):
            self._wrong_type(path, "a mapping", value)
            return None
        for key in list(value)[:100]:
            if key not in known:
                near = difflib.get_close_matches(
                    key[:100] if isinstance(key, str) else "", known, 1
                )
                self._not_read(path, key, near[0] if near else None)
        return value

    def _problem(self, code: str, path: str, **context: str) -> None:
        self.problems.append(_core.make_diagnostic(code, path, context))

    def _note(self, code: str, path: str, **context: str) -> None:
        self.notes.append(_core.make_diagnostic(code, path, context))

    def _not_read(self, path: str, key: Any, instead: str | None) -> None:
        hint = f"the engine reads {instead}" if instead else "leave it out"
        self._note("key-not-read", path, key=repr(key)[:80], hint=hint)

    def _wrong_type(self, path: str, expected: str, value: Any) -> None:
        hint = f"write {expected}"
        context = {"expected": expected, "got": _described(value), "hint": hint}
        self._problem("wrong-type", path, **context)


def _described(value: Any) -> str:
    """What a value is, without walking through it."""
    if value is None:
        return "null"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return f"a list of {len(value)}"
    if isinstance(value, (bool, int, float, str)):
        return _core.describe(value)
    return f"a {type(value).__name__}"
