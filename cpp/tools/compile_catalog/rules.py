"""Rules of an engine: what a release refuses, what values stand for, what is really computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from common import CatalogError, Writer, ident, mask_of, text
from launchers import Releases

if TYPE_CHECKING:
    from engines import Facts


def compile_terms(terms: dict[str, Any], targets: list[str], out: Writer) -> str:
    for target in terms:
        if target not in targets:
            raise CatalogError(f"a rule names the unknown target {target!r}")
    rows = []
    for target, values in terms.items():
        rows.append(f"{{{targets.index(target)}, {compile_term(values, targets, out)}}}")
    return out.array("RuleTerm", rows)


def compile_term(values: Any, targets: list[str], out: Writer) -> str:
    if not isinstance(values, dict):
        return f"false, {out.texts(values)}"
    listed = f"true, {out.texts(values.get('not', []))}"
    for word in ("does_not_divide", "differs_from"):
        if word in values:
            return f"{listed}, Compared::{ident(word)}, {targets.index(values[word])}"
    return listed


def compile_rules(
    rules: list[dict[str, Any]], targets: list[str], facts: Facts, releases: Releases, out: Writer
) -> str:
    # What the engine keeps is known before anything else is asked.
    ordered = sorted(rules, key=lambda rule: not rule.get("kept", False))
    rows = [compile_rule(rule, rule["refuse"], targets, facts, releases, out) for rule in ordered]
    return out.array("Constraint", rows)


def compile_rule(
    rule: dict[str, Any],
    terms: dict[str, Any],
    targets: list[str],
    facts: Facts,
    releases: Releases,
    out: Writer,
) -> str:
    return (
        f"{{{text(rule['id'])}, {releases.interval(rule)}, "
        f"{facts.masks(dict(rule))}, {compile_terms(terms, targets, out)}, "
        f"Stage::{ident(rule['stage'])}, {text(rule['text'])}, "
        f"{str(rule.get('assumed', False)).lower()}, "
        f"{str(rule.get('whole_only', False)).lower()}, "
        f"{str(rule.get('user_only', False)).lower()}, "
        f"{str(rule.get('kept', False)).lower()}, "
        f"{str(rule.get('as_given', False)).lower()}, {out.texts(rule['evidence'])}}}"
    )


def told(trouble: dict[str, Any]) -> str:
    """What happens, and how well the releases are known for which it is told."""
    words = str(trouble["text"])
    if "seen" in trouble:
        words += f"; seen in {' and '.join(trouble['seen'])}"
    elif "dated" in trouble:
        words += f"; reported in {trouble['dated']}"
    assumed = trouble.get("assumed") and ("seen" in trouble or "dated" in trouble)
    return words + ("; other releases are assumed" if assumed else "")


def compile_troubles(
    troubles: list[dict[str, Any]],
    targets: list[str],
    facts: Facts,
    releases: Releases,
    out: Writer,
) -> str:
    """What starts and goes wrong, and what loaders cannot load."""
    rows = []
    for trouble in troubles:
        types = trouble.get("types", [])
        others = isinstance(types, dict)
        terms = trouble.get("when", {})
        rule = {"stage": "trouble", **trouble, "text": told(trouble)}
        rows.append(
            f"{{{compile_rule(rule, terms, targets, facts, releases, out)}, "
            f"{out.texts(types['not'] if others else types)}, {str(others).lower()}, "
            f"{mask_of(trouble.get('section', []), facts.section)}, "
            f"{text(trouble['effect'])}, {text(trouble.get('cure', ''))}}}"
        )
    return out.array("Trouble", rows)


def compile_meanings(
    rows: list[dict[str, Any]], targets: list[str], facts: Facts, releases: Releases, out: Writer
) -> str:
    """What values stand for, by target, so that those of one target stand together."""
    compiled = []
    for row in sorted(rows, key=lambda row: targets.index(row["target"])):
        types = row.get("types", [])
        others = isinstance(types, dict)
        compiled.append(
            f"{{{targets.index(row['target'])}, {releases.interval(row)}, "
            f"{facts.masks(dict(row))}, "
            f"{out.texts(row['is'])}, {text(row['means'])}, "
            f"{out.texts(types['not'] if others else types)}, {str(others).lower()}, "
            f"{compile_terms(row.get('beside', {}), targets, out)}, {text(row.get('text', ''))}, "
            f"{out.texts(row.get('evidence', []))}}}"
        )
    return out.array("Meaning", compiled)


def compile_precision(
    rows: list[dict[str, Any]], targets: list[str], facts: Facts, releases: Releases, out: Writer
) -> str:
    compiled = []
    for row in rows:
        when = dict(row.get("when", {}))
        masks = facts.masks(when)
        types = when.pop("types", [])
        others = isinstance(types, dict)
        compiled.append(
            f"{{{text(row['of'])}, {releases.interval(row)}, {masks}, "
            f"{out.texts(types['not'] if others else types)}, {str(others).lower()}, "
            f"{compile_terms(when, targets, out)}, {row.get('bits', 0)}, "
            f"{row.get('head_bits', 0)}, {text(row['is'])}, "
            f"{out.texts(row.get('evidence', []))}}}"
        )
    return out.array("Precision", compiled)
