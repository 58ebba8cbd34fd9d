"""Mistakes that a type checker finds; each line's comment is the code of mypy's error."""

# ruff: noqa: B018

import quantmap

quantmap.get_runtime_args("vllm")  # call-arg
quantmap.get_runtime_args(1, None)  # arg-type
quantmap.get_runtime_args("vllm", "fp8")  # arg-type
quantmap.get_runtime_args("vllm", None, None, None, "0.11.0")  # call-arg
quantmap.get_runtime_args("vllm", None, versions="0.11.0")  # call-arg
quantmap.expand_preset(None)  # arg-type
quantmap.merge_parameters({}, None, "vllm")  # call-arg
quantmap.map_to_engine_args(None, 3)  # arg-type
quantmap.Engine.OTHER  # attr-defined
quantmap.QUANTIZATION_PRESETS["default"] = {}  # index
quantmap.explain("vllm").argument  # attr-defined
