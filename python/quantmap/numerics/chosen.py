"""Which recipes each module of a checkpoint gets: by schemes, by a launch, or by a rules file."""

from __future__ import annotations

import os

from ..errors import ConfigError
from ..result import Keyed
from ..rules import RulesFile, read_rules
from ..rules_format import quoted, walked
from .arrays import problem
from .modules import EXPERTS, LINEAR, Module
from .named import ModuleNames, Named, instead_of, rules_engine, scheme_of
from .recipes import Recipe, find_recipe, recipes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ..words import Count

_HINT = "quantmap.recipes() lists them; name an engine to take all of its own"
_WEIGHTS = (LINEAR, EXPERTS)
_A = {"embedding": "an embedding", "head": "a head", "router": "a router"}


class RuleTaken(Keyed):
    """A rule of a rules file, and what it takes.

    Attributes:
        rule: its number, from 0.
        pattern: what it matches.
        modules: those that it is the first to match.
    """

    rule: Count
    pattern: str
    modules: list[str]


class Plan:
    """Recipes for modules.

    Attributes:
        title: what it is, when each module gets one recipe; None when schemes are compared.
        recipes: all of them.
        notes: what is to be known of it.
        rules: for each rule of a file, the modules that it takes; None without a file.
    """

    def __init__(self, title: str | None, chosen: Iterable[Recipe]) -> None:
        self.title = title
        self.recipes = list(dict.fromkeys(chosen))
        self.notes: list[str] = []
        self.rules: list[RuleTaken] | None = None

    def of(self, module: Module) -> list[Recipe] | str:
        """The recipes of a module, or why it stays as it is."""
        if module.kind in _WEIGHTS:
            return self.recipes
        return f"engines leave {_A[module.kind]} as it is"


class ByParts(Plan):
    """What a launch asks for: one recipe for linear layers, one for experts."""

    def __init__(self, title: str, parts: dict[str, Recipe]) -> None:
        super().__init__(title, [parts[kind] for kind in _WEIGHTS if kind in parts])
        self._parts = parts

    def of(self, module: Module) -> list[Recipe] | str:
        """The recipe of the part that the module belongs to."""
        if module.kind in self._parts:
            return [self._parts[module.kind]]
        return f"{self.title} leaves it as it is"


class ByRules(Plan):
    """What a rules file says of each module, by the engine's own names."""

    def __init__(
        self, file: RulesFile, title: str, release: str, architecture: str, modules: list[Module]
    ) -> None:
        self._engine = rules_engine()
        self._release = release
        self._names = ModuleNames(self._engine, architecture)
        self._file = file
        self._taken: dict[int, list[str]] = {rule.index: [] for rule in file.rules}
        self._given = {module.name: self._choose(module) for module in modules}
        found = [item for item in self._given.values() if isinstance(item, Recipe)]
        super().__init__(title, found)
        self.rules = [
            RuleTaken(rule.index, rule.pattern, self._taken[rule.index]) for rule in file.rules
        ]
        self._note(architecture, modules)

    def of(self, module: Module) -> list[Recipe] | str:
        """The recipe of the first rule that matches."""
        given = self._given[module.name]
        return given if isinstance(given, str) else [given]

    def _choose(self, module: Module) -> Recipe | str:
        found = self._names.of(module.name)
        if found is None:
            if self._names.read:
                return "the engine loads no tensor of this name"
            kept = module.kind if module.kind in _WEIGHTS else "kept"
            found = [_path(module.name)], str(kept)
        paths, kind = found
        if kind == EXPERTS:
            return self._experts(paths[0])
        if kind != LINEAR:
            return f"the engine never quantizes {paths[0]}"
        decision = self._file.winner(paths[0])
        rule = decision.rule
        if rule is None:
            return decision.sentence
        self._taken[rule.index].append(module.name)
        return self._recipe(LINEAR, rule.weight_dtype, rule.weight_block_size)

    def _experts(self, path: str) -> Recipe | str:
        dotted = path.replace("/", ".").replace("[", ".").replace("]", "")
        for ignored in self._file.ignored_layers:
            if dotted == ignored or dotted.endswith(f".{ignored}"):
                return f"ignored: {quoted(ignored)} of ignored_layers"
        dtype = self._file.moe["weight_dtype"]
        if dtype is None:
            return "the rules leave experts as they are"
        return self._recipe(EXPERTS, dtype, self._file.weight_block_size)

    def _recipe(self, part: str, dtype: str, block: list[int] | None) -> Recipe | str:
        scheme = scheme_of(self._engine, part, dtype)
        if scheme is None:
            return f"{dtype} is what it is kept in"
        if block is not None:
            size = f"{block[0]}x{block[1]}"
            other = [row for row in instead_of(self._engine, scheme) if size in row["values"]]
            if not other:
                return f"blocks of {size} are computed in a way that was not read"
            scheme = str(other[0]["scheme"])
        return find_recipe(f"{self._engine}{self._release}:{scheme}")

    def _note(self, architecture: str, modules: list[Module]) -> None:
        if not self._names.read:
            name = architecture or "a model without a config.json"
            self.notes.append(
                f"How {self._engine} names the modules of {name} was not read: "
                "rules are matched with the names of the checkpoint."
            )
        for index, taken in self._taken.items():
            pattern = quoted(self._file.rules[index].pattern)
            if not taken:
                self.notes.append(f"Rule {index} ({pattern}) takes no module of this model.")
            unusual = [module for module in modules if module.kind not in _WEIGHTS]
            for module in unusual:
                if module.name in taken:
                    self.notes.append(
                        f"Rule {index} ({pattern}) also quantizes the {module.kind} {module.name}."
                    )
        for recipe in self.recipes:
            for row in instead_of(recipe.who, recipe.scheme):
                if row["at"].startswith("-"):
                    other = find_recipe(f"{recipe.who}{self._release}:{row['scheme']}")
                    words = f"{row['at']} {', '.join(row['values'])}"
                    self.notes.append(f"With {words} these are other numbers: {other.title}.")


def _path(name: str) -> str:
    """A module's name as the engine would walk it, or as it is."""
    try:
        return walked(name)
    except ConfigError:
        return name


def plan_of(
    schemes: Iterable[str | Recipe] | None,
    engine: str | None,
    rules: Any,
    config: dict[str, Any] | None,
    architecture: str,
    modules: list[Module],
) -> Plan:
    """The one plan that is asked for.

    Raises:
        ConfigError: more than one is, or none, or it cannot be read.
    """
    given = [name for name, value in (("schemes", schemes), ("rules", rules)) if value]
    if len(given) + (config is not None) > 1:
        hint = "give schemes, rules, or a config with its engine"
        raise problem("the model", "more than one thing is asked for", hint)
    who, at, release = (engine or "").partition("@")
    if rules:
        own = rules_engine()
        if who.replace("-", "_") not in ("", own):
            raise problem(repr(engine), f"only {own} reads rules files", f"name {own}@RELEASE")
        file = rules if isinstance(rules, RulesFile) else read_rules(rules)
        name = os.path.basename(os.fspath(rules)) if isinstance(rules, (str, os.PathLike)) else ""
        plan: Plan = ByRules(file, name or "the rules", at + release, architecture, modules)
        plan.notes = [note.message for note in file.notes] + plan.notes
        return plan
    if config is not None:
        return _by_config(who, release, config)
    return Plan(None, _chosen(schemes, engine))


def _by_config(who: str, release: str, config: dict[str, Any]) -> Plan:
    from ..mapping import explain

    if not who:
        raise problem("the config", "no engine is named", "name one, such as ENGINE@RELEASE")
    mapping = explain(who, config, engine_version=release or "latest")
    named = Named.of(mapping)
    title = f"{mapping.engine_name} {mapping.version} with this config"
    plan = ByParts(title, named.parts)
    if not plan.recipes:
        reason = f"{title} quantizes no weights while loading"
        weights = [words for part, words in named.outside.items() if part in _WEIGHTS]
        if weights:
            reason = f"{title} makes {weights[0]}"
        if named.unread:
            reason = f"how {named.unread[0]} computes was not read"
        raise problem("the config", reason, "quantmap.recipes() lists what was read")
    return plan


def _chosen(schemes: Iterable[str | Recipe] | None, engine: str | None) -> list[Recipe]:
    names: list[str | Recipe] = list(schemes or ())
    if engine is not None:
        who, at, release = engine.partition("@")
        own = dict.fromkeys(r.scheme for r in recipes(who) if r.use == "weight")
        for scheme in own:
            try:
                names.append(find_recipe(f"{who}{at}{release}:{scheme}"))
            except ConfigError as error:
                if error.diagnostics[0].code != "recipe-not-read":
                    raise
    chosen = list(dict.fromkeys(find_recipe(name) for name in names))
    if not chosen:
        raise problem("the model", "no scheme is named", _HINT)
    for recipe in chosen:
        if recipe.use != "weight":
            raise problem(recipe.name, f"it is a recipe for {recipe.use}s", _HINT)
    return chosen
