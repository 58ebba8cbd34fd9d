"""What a type checker sees of mappings and errors."""

import quantmap
from typing_extensions import reveal_type

mapping = quantmap.explain("sglang", {"gemm_dtype": "fp8"}, {"tp-size": 2}, "awq", policy="degrade")

reveal_type(mapping)  # Mapping
reveal_type(mapping.engine)  # str
reveal_type(mapping.preset)  # str | None
reveal_type(mapping.args)  # dict[str, str | bool]
reveal_type(mapping.env)  # dict[str, str]
reveal_type(mapping.files)  # dict[str, str]
reveal_type(mapping.argv())  # list[str]
reveal_type(mapping.decisions)  # list[Decision]
reveal_type(mapping.decisions[0].emitted)  # dict[str, str | bool]
reveal_type(mapping.mode)  # Literal['documented'] | Literal['checked']
reveal_type(mapping.diagnostics)  # list[Diagnostic]
reveal_type(quantmap.list_diagnostics())  # list[dict[str, str]]

try:
    quantmap.get_runtime_args("vllm", {})
except quantmap.ConfigError as error:
    reveal_type(error.diagnostics)  # list[Diagnostic]
    reveal_type(error.diagnostics[0].context)  # dict[str, str]
