"""The engines that the extractor knows."""

from __future__ import annotations

from . import sglang, tensorrt_llm, vllm
from .readers import Engine, read_server_args

_RELEASED = ("final", "post")

ENGINES: dict[str, Engine] = {
    engine.id: engine
    for engine in (
        Engine("vllm", "vllm", "vllm", "0.6.0", _RELEASED, vllm.read),
        Engine("sglang", "sglang", "sglang", "0.4.0", _RELEASED,
               sglang.with_bounds(
                   sglang.with_variables(read_server_args("sglang.srt.server_args"), "sglang",
                                         ("SGLANG_", "SGL_")), "sglang/srt/server_args.py")),
        Engine("tensorrt_llm", "tensorrt-llm", "tensorrt_llm", "0.17.0",
               (*_RELEASED, "pre"), tensorrt_llm.read),
        Engine("sglang_jax", "sglang-jax", "sgl_jax", "0.0.1", (*_RELEASED, "pre"),
               sglang.with_bounds(
                   sglang.with_more(read_server_args("sgl_jax.srt.server_args"),
                                    "sgl_jax.srt.multimodal.common.ServerArgs",
                                    "MultimodalServerArgs.add_cli_args"),
                   "sgl_jax/srt/server_args.py"), (".py", ".yaml")),
    )
}  # fmt: skip
