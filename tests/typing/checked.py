"""What a type checker sees of checks, differences, rules files, hardware and tasks."""

import quantmap
from quantmap import hardware, integration, ledger, task
from typing_extensions import reveal_type

result = quantmap.check("vllm serve my/model", engine_version="0.11.0", gpu="H100")
reveal_type(result)  # CheckResult
reveal_type(result.ok)  # bool
reveal_type(result.model)  # str | None
reveal_type(result.verdicts)  # list[Verdict]
reveal_type(result.verdicts[0].refused)  # bool
reveal_type(result.verdicts[0].hint)  # str
reveal_type(result.notes)  # list[Diagnostic]
reveal_type(quantmap.diff({}, "vllm", "0.10.0", "0.11.0"))  # ConfigChanges
reveal_type(quantmap.diff_command("vllm serve m", "0.10.0", "0.11.0"))  # LineChanges

rules = quantmap.read_rules(b"quantization: {}")
reveal_type(rules)  # RulesFile
reveal_type(rules.rules[0].weight_block_size)  # list[int] | None
reveal_type(rules.winner("lm_head"))  # ModuleDecision
reveal_type(rules.winner("lm_head").rule)  # Rule | None

reveal_type(hardware.gpu_info("H100"))  # GpuInfo
reveal_type(hardware.local_gpu())  # dict[str, Any]
reveal_type(hardware.requirements("vllm"))  # list[Requirement]
reveal_type(task.read_task({}).configs())  # list[dict[str, Any]]
reveal_type(ledger.done_signatures("ledger.jsonl"))  # tuple[set[str], list[Diagnostic]]
reveal_type(integration.detect_model_quantization("my/model"))  # str | None
reveal_type(integration.expand_quantization_presets({}))  # list[dict[str, Any] | None]
reveal_type(integration.validate_task_quant_config({}))  # tuple[bool, str]
