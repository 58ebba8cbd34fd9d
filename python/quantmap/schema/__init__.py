"""Exports for other programs: JSON Schemas, TypeScript types, and the tables behind a web form.

Everything is made from the compiled catalogue when it is asked for.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["json_schema", "output_schema", "typescript_types", "ui_table"]


def json_schema(kind: str = "config") -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of an input.

    A schema accepts what `validate_quant_config` accepts, and for a task every config that it
    stands for, as far as a schema can say it. It knows nothing of the text behind the data (a key
    given twice, ``2.0`` for an integer) or of releases.

    Args:
        kind: ``config`` (either form), ``four-field``, ``unified``, or ``task``: the autotuner's
            task, in which a field or parameter may have a list of values.

    Returns:
        dict: the schema, with titles, descriptions and defaults for editors.

    Raises:
        ConfigError: there is no such kind.

    Example:
        >>> schema = json_schema("four-field")
        >>> schema["properties"]["gemm_dtype"]["enum"][:3]
        ['auto', 'float16', 'bfloat16']
        >>> schema["additionalProperties"]
        False
    """
    from . import inputs

    return inputs.json_schema(kind)


def output_schema(verb: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of what a verb of the command prints with ``--json``.

    Args:
        verb: the verb, such as ``explain``.

    Returns:
        dict: the schema; it allows no key that it does not name.

    Raises:
        ConfigError: the verb has no JSON output.

    Example:
        >>> output_schema("matrix")["required"]
        ['engine', 'version', 'rows']
    """
    from . import outputs

    return outputs.output_schema(verb)


def typescript_types() -> str:
    """Types of both config forms, the task, `ui_table` and every output, as a TypeScript module.

    Returns:
        str: source text that compiles under ``tsc --strict`` and emits no code.

    Example:
        >>> "export type GemmDtype =" in typescript_types()
        True
    """
    from . import typescript

    return typescript.module()


def ui_table(engines: list[str] | None = None, *, gpu: str | None = None) -> dict[str, Any]:
    """What a form needs to show every choice and what comes of it, without any rule.

    Args:
        engines: engines as for `get_runtime_args`, with or without a release (``vllm``,
            ``sglang@0.5.2``). None means every engine, documented and in its newest release.
        gpu: the GPU that releases are asked about; the documented mapping knows none.

    Returns:
        dict: fields and presets with titles; for every engine and kind of checkpoint the launches
        of all combinations of the four fields, and what becomes of each field. Launches and
        decisions stand once in ``tables``. A table holds ``values`` and an ``index`` into them:
        one number for each combination of the fields in ``by``, the last field fastest.

    Raises:
        ConfigError: an engine, its release or the GPU is not known.

    Example:
        >>> ui = ui_table(["tensorrt_llm"])
        >>> entry = ui["engines"][0]["checkpoints"][0]
        >>> table = ui["tables"]["decisions"][entry["decisions"]["gemm_dtype"]]
        >>> table["by"], [table["values"][number]["outcome"] for number in table["index"]][:4]
        (['gemm_dtype'], ['applied', 'ignored', 'ignored', 'not-supported'])
    """
    from . import ui

    return ui.ui_table(engines, gpu)
