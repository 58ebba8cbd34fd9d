"""``quantmap quantize``: write a quantized checkpoint."""

from __future__ import annotations

import click

from ..numerics.writing import quantize_checkpoint
from .help import command
from .quality import bytes_bar, config_of
from .tables import say

EPILOGUE = """\b
Examples:
  quantmap quantize ./my-model ./my-model-fp8 --scheme compressed_tensors:FP8_DYNAMIC
  quantmap quantize ./my-model ./my-model-int4 --scheme compressed_tensors:W4A16
  quantmap quantize ./my-model ./as-vllm-does --engine vllm@0.33.0 --set gemm_dtype=fp8
  quantmap quantize ./my-model ./by-rules --rules rules.yaml

\b
Codes are the nearest ones, by the scheme's own formula. A run that was stopped goes on where it
was when the same command is given again.
"""


@command("quantize", epilog=EPILOGUE, short_help="Write a quantized checkpoint.")
@click.argument("model", metavar="MODEL")
@click.argument("out", metavar="OUT")
@click.option("--scheme", metavar="RECIPE", help="Such as compressed_tensors:INT8.")
@click.option("--engine", metavar="ENGINE", help="Whose config or rules, such as vllm@0.33.0.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="FIELD=VALUE",
    help="A setting, such as gemm_dtype=fp8: what the engine does with it while loading.",
)
@click.option(
    "--rules", metavar="FILE", help="A rules file of sglang-jax: each module by its rule."
)
@click.option("--threads", type=click.IntRange(1), metavar="N", help="Default: every processor.")
def quantize_command(
    model: str,
    out: str,
    scheme: str | None,
    engine: str | None,
    settings: tuple[str, ...],
    rules: str | None,
    threads: int | None,
) -> int:
    """Quantize the linear layers of MODEL, a folder of safetensors files, into the folder OUT.

    The checkpoint is in the compressed-tensors format, which vLLM and SGLang load; sglang-jax loads
    the FP8 ones. Embeddings, the output head and routers stay as they are.
    """
    report, end = bytes_bar("writing")
    try:
        done = quantize_checkpoint(
            model,
            out,
            scheme,
            engine=engine,
            rules=rules,
            config=config_of(settings),
            threads=threads,
            progress=report,
        )
    finally:
        end()
    before, after = done["bytes_before"] / 1e6, done["bytes_after"] / 1e6
    say(f"{done['recipe']} as {done['format']}: {before:.1f} MB became {after:.1f} MB in {out}")
    say(f"{len(done['quantized'])} modules are quantized")
    for name in done["left_out"]:
        say(f"left as it is: {name}")
    return 0
