"""JSON Schemas of what the command prints with ``--json``, one per verb.

They allow no key that they do not name: a change of an output is a change here.
"""

from __future__ import annotations

from ..advising import Advice
from ..boot_log import BootLog  # noqa: F401  (which LoggedFit names)
from ..changes import ConfigChanges, LineChanges
from ..check import CheckResult
from ..errors import Diagnostic
from ..failed_start import WhyResult
from ..fit import Fit
from ..fitted import LoggedFit, MemoryUse, NeededFit
from ..mapping import Decision, Mapping
from ..rules import ModuleDecision, RulesFile
from .described import described
from .outputs_model import inspect_output
from .outputs_numerics import quality_output
from .outputs_parts import FLAG, config_definitions
from .outputs_plan import plan_output
from .outputs_results import results_output
from .parts import TEXT, closed, document, or_null, unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .parts import Schema

_NOTES: Schema = {"type": "array", "items": described(Diagnostic)}


def output_schema(verb: str) -> dict[str, Any]:
    """The schema of one verb's output."""
    if not isinstance(verb, str) or verb not in OUTPUTS:
        raise unknown("verb", verb, OUTPUTS)
    return document(f"output-{verb}", OUTPUTS[verb]())


def _one_or_several(schema: Schema, **definitions: Schema) -> Schema:
    """One result, or a list where a task names several presets."""
    here = {"$ref": "#/$defs/result"}
    several = {"type": "array", "items": here, "minItems": 2}
    return {"anyOf": [here, several], "$defs": {"result": schema, **definitions}}


def _mappings() -> Schema:
    return _one_or_several(described(Mapping), **config_definitions())


def _explained() -> Schema:
    mapping = described(Mapping, memory=or_null(described(MemoryUse)))
    return _one_or_several(mapping, **config_definitions())


def _check() -> Schema:
    here = {"$ref": "#/$defs/launch"}
    launches = {"type": "array", "items": here, "minItems": 2}
    several = closed({"ok": FLAG, "launches": launches, "notes": _NOTES})
    return {"anyOf": [here, several], "$defs": {"launch": described(CheckResult)}}


def _why() -> Schema:
    return described(WhyResult)


def _diff() -> Schema:
    both = {"type": "array", "items": described(MemoryUse), "minItems": 2, "maxItems": 2}
    of_config = described(ConfigChanges, memory=or_null(both))
    return _one_or_several({"anyOf": [of_config, described(LineChanges)]})


def _fit() -> Schema:
    """An estimate or several; with --need a row for each KV type, with --log the comparison."""
    out = _one_or_several(described(Fit), **config_definitions())
    out["anyOf"] += [{"type": "array", "items": described(NeededFit)}, described(LoggedFit)]
    return out


def _advise() -> Schema:
    here = {"$ref": "#/$defs/result"}
    of_model = closed({"model": TEXT, "advice": or_null(here)})
    found = [{"type": "array", "items": items} for items in (here, of_model)]
    return {"anyOf": found, "$defs": {"result": described(Advice), **config_definitions()}}


def _matrix() -> Schema:
    rows = {"type": "array", "items": described(Decision)}
    return closed({"engine": TEXT, "version": TEXT, "rows": rows})


def _rules() -> Schema:
    return described(RulesFile, modules={"type": "array", "items": described(ModuleDecision)})


OUTPUTS = {
    "map": _mappings,
    "explain": _explained,
    "check": _check,
    "why": _why,
    "diff": _diff,
    "fit": _fit,
    "advise": _advise,
    "inspect": inspect_output,
    "matrix": _matrix,
    "plan": plan_output,
    "quality": quality_output,
    "results": results_output,
    "rules": _rules,
}
