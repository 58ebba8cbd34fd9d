"""The one-line fix for a setting that a release does not apply as asked.

Nothing here knows an engine: a fix is found by asking the mapper again with one thing changed.
"""

from __future__ import annotations

from .. import _core
from ..errors import ConfigError, refuses_whole
from ..mapping import Decision, Mapping, explain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

EXACT = ("applied", "renamed")
_FIELDS: list[dict[str, Any]] = []  # of the catalogue, asked for once


class Ground:
    """What a mapping was made from, to make it again with one thing changed.

    Attributes:
        mapping: the mapping in question.
    """

    def __init__(
        self,
        mapping: Mapping,
        config: dict[str, Any],
        parameters: dict[str, Any],
        situation: dict[str, Any],
    ) -> None:
        self.mapping = mapping
        self._config = config
        self._parameters = parameters
        self._situation = {**situation, "policy": "degrade", "runtime_image_tag": None}
        self._asked: dict[tuple[str | None, str, str | None], Mapping | None] = {}

    def ask(
        self, field: str | None = None, option: str = "", version: str | None = None
    ) -> Mapping | None:
        """The mapping with another value of a field, or on another release; None if impossible."""
        key = (field, option, version)
        if key not in self._asked:
            changed = {**self._config, field: option} if field else self._config
            situation = {**self._situation, "engine_version": version or self.mapping.version}
            try:
                found = explain(self.mapping.engine, changed, self._parameters, **situation)
            except ConfigError:
                found = None
            self._asked[key] = found
        return self._asked[key]

    def fixes(self, decision: Decision) -> list[str]:
        """What to do about a setting that does not come out as asked, the best first."""
        found = []
        if decision.field in self.mapping.config:  # the four-field form
            found = [self._companion(decision) or self._same(decision)]
        release = self._release(
            lambda other: _applies(other, decision.field), "applies it as asked"
        )
        found.append(release)
        return [fix for fix in found if fix]

    def serving(self) -> str:
        """The nearest release that serves what this one cannot serve at all, in words."""
        name = self.mapping.engine_name
        none = f"no known release of {name} does: change the GPU or the checkpoint."
        return self._release(_serves, "serves it") or none

    def _companion(self, decision: Decision) -> str:
        """A setting left open so far with which this one is applied."""
        for field in _four_fields():
            if field["key"] == decision.field or self._is_set(field["key"]):
                continue
            for option in field["options"]:
                other = self.ask(field["key"], option)
                if other and _applies(other, decision.field) and _applies(other, field["key"]):
                    return f"add --set {field['key']}={option}, then it is applied."
        return ""

    def _same(self, decision: Decision) -> str:
        """Another value of this field that comes to the same launch, exactly as asked."""
        field = next(field for field in _four_fields() if field["key"] == decision.field)
        default, here = default_of(decision.field), _launch(self.mapping)
        for option in sorted(field["options"], key=lambda option: option != default):
            other = self.ask(decision.field, option)
            if other and _applies(other, decision.field) and _launch(other) == here:
                asked = f"--set {decision.field}={option}"
                return f"{asked} starts the same launch, and then the config says what runs."
        return ""

    def _release(self, good: Callable[[Mapping], bool], does: str) -> str:
        """The next release, else the last one before, of which something is true."""
        known = [release["version"] for release in _core.releases(self.mapping.engine)]
        if self.mapping.version not in known:
            return ""
        here = known.index(self.mapping.version)
        newer, older = known[here + 1 :], known[:here][::-1]
        for version in (*newer, *older):
            other = self.ask(version=version)
            if other and good(other):
                age = "" if version in newer else ", an older release,"
                return f"{self.mapping.engine_name} {version}{age} {does}."
        return ""

    def _is_set(self, key: str) -> bool:
        decision = _decision(self.mapping, key)
        return decision is not None and (decision.given or decision.asked != default_of(key))


def _applies(mapping: Mapping, field: str) -> bool:
    decision = _decision(mapping, field)
    return decision is not None and decision.outcome in EXACT


def _launch(mapping: Mapping) -> tuple[object, ...]:
    return mapping.args, mapping.env, mapping.files


def _serves(mapping: Mapping) -> bool:
    return not any(refuses_whole(item) for item in mapping.diagnostics)


def _decision(mapping: Mapping, field: str) -> Decision | None:
    return next((item for item in mapping.decisions if item.field == field), None)


def default_of(name: str) -> str | None:
    """What a field, such as ``gemm_dtype`` or ``quantization.method``, is when left out."""
    for field in _all_fields():
        key = f"{field['section']}.{field['key']}" if field["section"] else field["key"]
        if key == name:
            return None if field["default"] is None else str(field["default"])
    return None


def _four_fields() -> list[dict[str, Any]]:
    return [field for field in _all_fields() if field["form"] == "four_field"]


def _all_fields() -> list[dict[str, Any]]:
    if not _FIELDS:
        _FIELDS.extend(_core.fields())
    return _FIELDS
