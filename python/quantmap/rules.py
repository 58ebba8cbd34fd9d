"""Rules files of sglang-jax: what they say, and which rule decides a module.

The engine tries the rules in file order with ``re.match``: anchored at the start of the path, not
at its end. The first rule that matches decides; what no rule matches stays unquantized. Layers in
``ignored_layers`` are left out before any rule is tried.
"""

from __future__ import annotations

import os

from . import _core
from .errors import ConfigError, Diagnostic
from .files import MAX_BYTES, read_file
from .result import Result
from .rules_format import FILE_KEYS, RULE_KEYS, TOP_KEYS, Format, ignored_name, quoted, walked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .words import Block, Count, RuleOutcome

__all__ = ["ModuleDecision", "Rule", "RulesFile", "read_rules"]


class Rule(Result):
    """One rule of a file.

    Attributes:
        index: its place in the file, from 0.
        pattern: the regular expression for module paths.
        weight_dtype: what the weights become.
        activation_dtype: what the activations become; None leaves them alone.
        weight_block_size: ``[n, k]`` of block-wise scales, or None for one scale per channel.
    """

    index: Count
    pattern: str
    weight_dtype: str
    activation_dtype: str | None
    weight_block_size: Block | None
    _matcher: _core.Pattern

    _shown = ("index", "pattern", "weight_dtype")

    def matches(self, module_path: str) -> bool:
        """Whether the pattern matches a path; an earlier rule may still take it.

        Args:
            module_path: a path as the engine walks it: ``model/layers[0]/mlp/up_proj``.

        Returns:
            bool: what ``re.match`` says.
        """
        if not hasattr(self, "_matcher"):
            matcher = _core.read_pattern(self.pattern, f"$.rules[{self.index}]")
            object.__setattr__(self, "_matcher", matcher)
        return self._matcher.matches(module_path)


class ModuleDecision(Result):
    """What a rules file makes of one linear layer.

    Attributes:
        module_path: the path as the engine walks it.
        outcome: ``rule``, ``ignored`` or ``unquantized``.
        sentence: the decision in words.
        rule: the rule that decides, or None.
        ignored_by: the entry of ``ignored_layers`` that decides, or None.
    """

    module_path: str
    outcome: RuleOutcome
    sentence: str
    rule: Rule | None = None
    ignored_by: str | None = None

    _shown = ("module_path", "outcome")


class RulesFile(Result):
    """A rules file that the engine can read.

    Attributes:
        rules: the rules for linear layers, in file order.
        moe: ``weight_dtype`` and ``activation_dtype`` of the experts.
        ignored_layers: names of layers that no rule touches, as written.
        weight_block_size: ``[n, k]`` for rules without their own, or None.
        is_static_checkpoint: whether the checkpoint is quantized already.
        allow_narrow_n_blockwise: whether narrow outputs may be quantized in blocks.
        notes: what the engine reads otherwise than written, or not at all.
    """

    rules: list[Rule]
    moe: dict[str, str | None]
    ignored_layers: list[str]
    weight_block_size: Block | None
    is_static_checkpoint: bool
    allow_narrow_n_blockwise: bool
    notes: list[Diagnostic]

    _shown = ("rules", "moe")

    def winner(self, module_path: str) -> ModuleDecision:
        """Which rule decides a linear layer.

        Args:
            module_path: its path as the engine walks it (``model/layers[0]/self_attn/q_proj``) or
                with dots (``model.layers.0.self_attn.q_proj``).

        Returns:
            ModuleDecision: the first rule that matches, or why there is none.

        Raises:
            ConfigError: that is no path of a module.

        Example:
            >>> file = read_rules(
            ...     "quantization:\\n"
            ...     "  linear: {rules: [{module_path: '.*mlp', weight_dtype: int8}]}\\n"
            ...     "  moe: {weight_dtype: null}\\n"
            ... )
            >>> file.winner("model.layers.0.mlp.up_proj").rule
            Rule(0, '.*mlp', 'int8')
            >>> file.winner("lm_head").outcome
            'unquantized'
        """
        path = walked(module_path)
        dotted = path.replace("/", ".")
        for ignored in self.ignored_layers:
            name = ignored_name(ignored)
            if dotted == name or dotted.endswith(f".{name}"):
                words = f"ignored: {quoted(ignored)} of ignored_layers, before any rule is tried"
                return ModuleDecision(path, "ignored", words, ignored_by=ignored)
        for rule in self.rules:
            if rule.matches(path):
                block = rule.weight_block_size
                scales = f" in blocks of {block[0]}x{block[1]}" if block else ""
                words = (
                    f"rule {rule.index} ({quoted(rule.pattern)}) is the first that matches: "
                    f"weights {rule.weight_dtype}{scales}, "
                    f"activations {rule.activation_dtype or 'kept'}"
                )
                return ModuleDecision(path, "rule", words, rule=rule)
        return ModuleDecision(path, "unquantized", "unquantized: no rule matches")

    def to_yaml(self) -> str:
        """The file again, with nothing but what the engine reads, under the keys that it reads.

        Returns:
            str: YAML.
        """
        rules = []
        for rule in self.rules:
            values = (rule.pattern, rule.weight_dtype, rule.activation_dtype)
            row: dict[str, Any] = dict(zip(RULE_KEYS, values))
            if rule.weight_block_size != self.weight_block_size:
                row[RULE_KEYS[-1]] = rule.weight_block_size
            rules.append(row)
        linear, moe, *rest = FILE_KEYS
        body: dict[str, Any] = {linear: {"rules": rules}, moe: self.moe}
        body.update((key, getattr(self, key)) for key in rest if getattr(self, key))
        return _core.to_yaml({TOP_KEYS[0]: body})


def read_rules(source: str | bytes | os.PathLike[str] | dict[str, Any]) -> RulesFile:
    """A rules file of sglang-jax, checked.

    Args:
        source: the name of a file, YAML text (a string of several lines, or bytes), or its data.
            The documented section ``dense`` is read as ``linear``, and a note says so. YAML needs
            PyYAML, which is part of ``quantmap[cli]``.

    Returns:
        RulesFile: the rules, and notes on what the engine does not read or can never match.

    Raises:
        ConfigError: the file cannot be read, is not YAML, lacks a required part, or holds a dtype,
            block size or pattern that cannot be used; all problems with their paths.

    Example:
        >>> rules = [{"module_path": "model", "weight_dtype": "int8"}]
        >>> file = read_rules(
        ...     {"quantization": {"dense": {"rules": rules}, "moe": {"weight_dtype": None}}}
        ... )
        >>> file.winner("model/layers[0]/mlp/up_proj").sentence
        "rule 0 ('model') is the first that matches: weights int8, activations kept"
        >>> file.notes[0].message
        'dense is read as linear, the only key that the engine reads.'
    """
    data: Any = source
    if isinstance(source, (str, bytes, os.PathLike)):
        from .yaml_reader import read_yaml

        text = isinstance(source, bytes) or (isinstance(source, str) and "\n" in source)
        data = read_yaml(source if text else _contents(source))  # type: ignore[arg-type]
    form = Format()
    found = form.read(data)
    if form.problems:
        raise ConfigError(form.problems)
    rules = [_rule(index, **rule) for index, rule in enumerate(found["rules"])]
    return RulesFile.of({**found, "rules": rules, "notes": form.notes})


def _rule(index: int, *, matcher: _core.Pattern, **read: Any) -> Rule:
    rule = Rule(index, **read)
    object.__setattr__(rule, "_matcher", matcher)
    return rule


def _contents(name: Any) -> bytes:
    try:
        return read_file(name, MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        context = {"value": repr(os.fspath(name))[:200], "reason": reason}
        raise ConfigError([_core.make_diagnostic("unreadable-file", "$", context)]) from None
