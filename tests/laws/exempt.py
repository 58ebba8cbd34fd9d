"""What the laws let pass, each for a reason."""

from __future__ import annotations

# (file, word) → why: keys of files and results that the catalogue happens to know as well.
EXEMPT_KEYS = {
    ("python/quantmap/container_words.py", "--device"): "an option of docker run",
    ("python/quantmap/platforms.py", "vllm"): "the engine of charts that know no other",
    ("python/quantmap/platforms.py", "--enable-lora"): "what a chart writes",
    ("python/quantmap/platforms.py", "--enable-auto-tool-choice"): "what a chart writes",
    ("python/quantmap/platforms.py", "--tool-call-parser"): "what a chart writes",
    ("cpp/src/mapping/request.cpp", "0.5.2"): "the same hint: a release of it",
    ("cpp/src/model/declarations.cpp", "weight_bits"): "a key of a config.json that is read",
    ("cpp/src/model/declarations.cpp", "activation_bits"): "a key of a config.json that is read",
    ("cpp/src/plan/task.cpp", "tensor_parallel_size"): "a key of the autotuner's task",
    ("cpp/include/quantmap/deployment/constraints.hpp", "experts_backend"): "a key of a result",
    ("python/quantmap/results/story.py", "experts_backend"): "a key of a result",
    ("python/quantmap/cli/story.py", "experts_backend"): "a key of a result",
    ("python/quantmap/cli/story.py", "linear_activation"): "a key of a result",
    ("python/quantmap/cli/style.py", "NO_COLOR"): "the variable of every command's colours",
    ("python/quantmap/documented.py", "gemm_dtype"): "what should_apply_dynamic_fp8 takes",
    ("python/quantmap/results/metrics.py", "p100"): "a percentile",
    ("python/quantmap/rules_format.py", "activation_dtype"): "a key of rules files",
    ("python/quantmap/rules_format.py", "float8_e4m3fn"): "the reader of rules files: a dtype",
    ("python/quantmap/schema/inputs.py", "kv_dtype"): "a key of the autotuner's task",
    ("python/quantmap/schema/inputs.py", "tensor_parallel_size"): "a key of the autotuner's task",
    ("python/bindings/register_numerics.cpp", "bf16"): "a number format of tensors",
    ("python/bindings/register_numerics.cpp", "e4m3"): "a number format of tensors",
    ("python/bindings/register_numerics.cpp", "e5m2"): "a number format of tensors",
    ("cpp/include/quantmap/results/recipes.hpp", "e4m3"): "a number format of tensors",
    ("cpp/include/quantmap/results/recipes.hpp", "e5m2"): "a number format of tensors",
    ("python/quantmap/numerics/arrays.py", "bfloat16"): "a number format of tensors",
    ("python/quantmap/numerics/arrays.py", "bf16"): "a number format of tensors",
    ("python/quantmap/numerics/files.py", "bf16"): "a number format of tensors",
    ("python/quantmap/results/memory.py", "tensor_parallel_size"): "a key of the task",
    ("python/quantmap/results/memory.py", "pipeline_parallel_size"): "a key of the task",
}
