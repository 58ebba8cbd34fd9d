"""What a type checker sees of the documented API; each line's comment is what mypy reveals."""

from typing import Any

import quantmap
from quantmap import Engine, documented
from typing_extensions import reveal_type

config: dict[str, Any] = {"preset": "kv-cache-fp8"}
model = {"quant_method": "awq"}

reveal_type(quantmap.get_runtime_args("vllm", config))  # dict[str, str | bool]
reveal_type(quantmap.get_runtime_args("vllm", None, None, model))  # dict[str, str | bool]
reveal_type(quantmap.get_runtime_args(Engine.VLLM, None, {"x": 2}))  # dict[str, str | bool]
reveal_type(documented.get_runtime_args("vllm", config, gpu="H100"))  # dict[str, str | bool]
reveal_type(quantmap.QUANTIZATION_PRESETS)  # Mapping[str, dict[str, Any]]
reveal_type(quantmap.QUANTIZATION_PRESETS["default"])  # dict[str, Any]
reveal_type(quantmap.expand_preset("default"))  # dict[str, Any]
reveal_type(quantmap.validate_quant_config(object()))  # tuple[bool, str]
reveal_type(quantmap.resolve_quant_config(None))  # dict[str, Any]
reveal_type(quantmap.should_apply_dynamic_fp8("fp8", "awq"))  # bool
reveal_type(quantmap.map_to_vllm_args(config))  # dict[str, Any]
reveal_type(quantmap.map_to_engine_args(config, "trtllm"))  # dict[str, Any]
reveal_type(quantmap.map_to_engine_args(config, Engine.VLLM))  # dict[str, Any]
reveal_type(quantmap.merge_parameters({}, None, runtime="vllm"))  # dict[str, Any]
reveal_type(quantmap.validate_config_for_engine(config, "vllm"))  # bool
reveal_type(quantmap.__version__)  # str
