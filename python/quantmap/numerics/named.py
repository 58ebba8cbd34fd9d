"""What leads to a recipe: arguments of a launch, keys of a rules file, names of modules."""

from __future__ import annotations

from .. import _core
from ..errors import ConfigError
from .recipes import Recipe, find_recipe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..mapping import Mapping

_NOTHING = "(?!)"  # the pattern of a rule that is there for its form and takes no module
LINEAR, EXPERTS = "linear", "experts"  # parts of a model that recipes are named for
_NUMBER = r"(?<=\.)\d+(?=\.|$)"  # of a layer or an expert


class Named:
    """The recipes that a launch asks for.

    Attributes:
        parts: part of the model → the recipe.
        outside: part of the model → what is computed there, where no recipe has it.
        unread: names of recipes whose release nobody read.
    """

    __slots__ = ("outside", "parts", "unread")

    @classmethod
    def of(cls, mapping: Mapping) -> Named:
        """Of a mapping: what it derived, and what the user gave, which wins."""
        emitted = {key: value for item in mapping.decisions for key, value in item.emitted.items()}
        kept = {
            key: value for key, value in emitted.items() if key.partition("#")[0] in mapping.files
        }
        for flag, value in mapping.args.items():
            kept[flag] = value
            inner = _object(value)
            kept.update((f"{flag}#/{key}", inner[key]) for key in inner)
        out = cls(mapping.engine, mapping.version, kept)
        if mapping.checkpoint != "unquantized":  # nothing of it is quantized while loading
            for found in (out.parts, out.outside):
                for part in [part for part in found if part != "cache"]:
                    del found[part]
        return out

    def __init__(self, engine: str, version: str | None, emitted: dict[str, Any]) -> None:
        self.parts: dict[str, Recipe] = {}
        self.outside: dict[str, str] = {}
        self.unread: list[str] = []
        schemes: dict[str, str] = {}
        for row in _core.recipe_name_rows(version or ""):
            asked = row["who"] == engine and str(emitted.get(row["at"])) in row["values"]
            if emitted.get(f"{row['at'].rpartition('/')[0]}/module_path") == _NOTHING:
                continue
            if asked and row["outside"]:
                self.outside[row["part"]] = row["outside"]
            elif asked and row["instead_of"] in (None, schemes.get(row["part"])):
                schemes[row["part"]] = row["scheme"]
        release = f"@{version}" if version else ""
        for part, scheme in schemes.items():
            name = f"{engine}{release}:{scheme}"
            try:
                self.parts[part] = find_recipe(name)
            except ConfigError as error:
                if error.diagnostics[0].code != "recipe-not-read":
                    raise
                self.unread.append(name)


def _object(value: Any) -> dict[str, Any]:
    """The keys of an argument that is a JSON object."""
    if isinstance(value, str) and value.startswith("{"):
        try:
            value = _core.load_json(value.encode())
        except ConfigError:
            return {}
    return value if isinstance(value, dict) else {}


def scheme_of(engine: str, part: str, value: str) -> str | None:
    """The scheme of a dtype in a rules file, with one scale for each channel or token."""
    for row in _core.recipe_name_rows():
        own = row["who"] == engine and row["part"] == part and row["instead_of"] is None
        if own and row["scheme"] and value in row["values"]:
            return str(row["scheme"])
    return None


def instead_of(engine: str, scheme: str) -> list[dict[str, Any]]:
    """What replaces a scheme: rows with ``at``, ``values`` and ``scheme``."""
    rows = _core.recipe_name_rows()
    return [row for row in rows if row["who"] == engine and row["instead_of"] == scheme]


def activation_of(recipe: Recipe) -> Recipe | None:
    """How the same engine and release quantizes the inputs of layers whose weights are so."""
    who, _, rest = recipe.name.partition("@")
    release = rest.partition(":")[0]
    for row in _core.recipe_name_rows(release):
        if row["who"] != who or not row["part"].endswith("activation") or row["instead_of"]:
            continue
        other = find_recipe(f"{who}@{release}:{row['scheme']}")
        if other.element == recipe.element and other.tile == recipe.tile:
            return other
    return None


def rules_engine() -> str:
    """The engine that reads rules files: the one whose recipes are named in a file."""
    return next(str(row["who"]) for row in _core.recipe_name_rows() if "rules" in row["at"])


class ModuleNames:
    """How an engine names the modules of an architecture.

    Attributes:
        read: the release that was read; empty when the architecture is not known.
    """

    __slots__ = ("_rows", "read")

    def __init__(self, engine: str, architecture: str) -> None:
        found = _core.module_names(engine, architecture)
        self.read = found[0] if found else ""
        rows = found[2] if found else []
        self._rows = {name: (paths, kind) for name, paths, kind in rows}

    def of(self, name: str) -> tuple[list[str], str] | None:
        """The paths of a module of the checkpoint, and what the engine makes of it."""
        import re

        found = self._rows.get(re.sub(_NUMBER, "{}", name))
        if found is None:
            return None
        numbers = re.findall(_NUMBER, name)
        return [_filled(path, numbers) for path in found[0]], found[1]


def _filled(path: str, numbers: list[str]) -> str:
    for number in numbers:
        path = path.replace("{}", number, 1)
    return path
