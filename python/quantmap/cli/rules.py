"""``quantmap rules``: read a rules file of sglang-jax and say which rule decides a module."""

from __future__ import annotations

import json

import click

from ..files import MAX_BYTES
from ..rules import ModuleDecision, RulesFile, read_rules
from ..rules_format import quoted
from .help import command
from .inputs import read_input

EPILOGUE = """\b
Examples:
  quantmap rules examples/sglang_jax_rules.yaml
  quantmap rules rules.yaml --module 'model/layers[0]/self_attn/q_proj'
  quantmap rules - --module model.layers.0.mlp.up_proj --json < rules.yaml
"""


@command("rules", epilog=EPILOGUE, short_help="Which rule of a sglang-jax file decides.")
@click.argument("file", metavar="FILE")
@click.option(
    "--module", "modules", multiple=True, metavar="PATH", help="A linear layer; may be repeated."
)
@click.option("--json", "as_json", is_flag=True, help="Everything as JSON on stdout.")
def rules_command(file: str, modules: tuple[str, ...], as_json: bool) -> int:
    """Check FILE, a rules file of sglang-jax ("-": stdin), and find the rule for each PATH.

    The first rule whose pattern matches at the start of the path decides, as re.match would.
    """
    rules = read_rules(read_input(MAX_BYTES + 1) if file == "-" else file)
    decisions = [rules.winner(module) for module in modules]
    if as_json:
        data = {**rules.to_dict(), "modules": [decision.to_dict() for decision in decisions]}
        click.echo(json.dumps(data, indent=2))
        return 0
    _show(rules, decisions)
    return 0


def _show(rules: RulesFile, decisions: list[ModuleDecision]) -> None:
    from .tables import say

    lines = ["linear layers, the first rule that matches decides:"]
    for rule in rules.rules:
        block = "x".join(map(str, rule.weight_block_size or [])) or "-"
        lines.append(
            f"  rule {rule.index}  {quoted(rule.pattern)}: weights {rule.weight_dtype}, "
            f"activations {rule.activation_dtype or 'kept'}, blocks {block}"
        )
    if rules.ignored_layers:
        lines.append(f"ignored before any rule: {len(rules.ignored_layers)} names")
    experts = [f"{key} {value or 'null'}" for key, value in rules.moe.items()]
    lines.append(f"experts: {', '.join(experts)}")
    lines += [f"{decision.module_path}: {decision.sentence}" for decision in decisions]
    for line in lines:
        say(line)
    for note in rules.notes:
        say(f"note: {note}", error=True)
