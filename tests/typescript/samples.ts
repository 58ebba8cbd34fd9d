// Configs and tasks that the types take, and mistakes that they find.
import type { QuantConfig, Task } from "./quantmap";

export const good: QuantConfig[] = [
  {},
  { gemm_dtype: "fp8", kvcache_dtype: "fp8_e5m2", attention_dtype: null },
  { preset: "kv-cache-fp8", gemm_dtype: "bfloat16" },
  { presets: ["default"], preset: null },
  { quantization: { method: "awq_marlin", weight_bits: 4, enable_marlin: true } },
  { preset: "universal-fp8", quantization: { weight_bits: 8 }, moe: { expert_parallel_size: 64 } },
  { kv_cache: { dtype: "fp8_e4m3", fp8_format: "e4m3" }, dtype: "auto", name: "mine" },
  { kv_cache: { dtype: "fp8", fp8_format: "e5m2" }, parallelism: { tensor_parallel_size: 8 } },
  { kv_cache: { dtype: "auto", fp8_format: "e5m2" }, quantization: null },
  { quantization_config: { gemm_dtype: "auto" } },
];

export const goodTasks: Task[] = [
  {},
  {
    task_name: "a",
    base_runtime: "sglang@0.5.2",
    model: { id_or_path: "m" },
    quant_config: { gemm_dtype: ["auto", "fp8", null], kvcache_dtype: "fp8_e5m2" },
    parameters: { "tp-size": [1, 2], "enable-metrics": true },
    optimization: { strategy: "grid_search", max_iterations: 4 },
    benchmark: { num_concurrency: [1] },
  },
  { base_runtime: "vllm", quant_config: { presets: ["default", "universal-fp8"] } },
  { base_runtime: "trt-llm", quant_config: { preset: ["default", "dynamic-fp8"] } },
  { quant_config: { kv_cache: { dtype: ["auto", "fp8_e5m2"] }, dtype: ["auto", "bfloat16"] } },
  { quantization_config: null, parameters: { quantization_preset: ["high-quality"] } },
];

export const bad: QuantConfig[] = [
  // @ts-expect-error: a value of another field
  { gemm_dtype: "fp16" },
  // @ts-expect-error: one value, not a list
  { gemm_dtype: ["fp8"] },
  // @ts-expect-error: a key that nobody knows
  { gemm_dytpe: "fp8" },
  // @ts-expect-error: both forms
  { gemm_dtype: "fp8", dtype: "auto" },
  // @ts-expect-error: both forms, although it says nothing
  { gemm_dtype: null, moe: {} },
  // @ts-expect-error: a preset of the other form
  { preset: "universal-fp8", gemm_dtype: "fp8" },
  // @ts-expect-error: a preset of the other form
  { preset: "default", dtype: "auto" },
  // @ts-expect-error: a preset that nobody knows
  { preset: "fp8" },
  // @ts-expect-error: preset and presets
  { preset: "default", presets: ["default"] },
  // @ts-expect-error: one launch has one preset
  { presets: ["default", "kv-cache-fp8"] },
  // @ts-expect-error: a section without what it must hold
  { quantization: { weight_bits: 4 } },
  // @ts-expect-error: a number that no method has
  { quantization: { method: "awq", weight_bits: 5 } },
  // @ts-expect-error: a key that the section does not have
  { moe: { method: "fp8" } },
  // @ts-expect-error: the format contradicts the dtype
  { kv_cache: { dtype: "fp8_e5m2", fp8_format: "e4m3" } },
  // @ts-expect-error: out of range
  { parallelism: { tensor_parallel_size: 9 } },
  // @ts-expect-error: fields beside the wrapper
  { quantization_config: { gemm_dtype: "fp8" }, moe_dtype: "auto" },
  // @ts-expect-error: a wrapper in a wrapper
  { quantization_config: { quantization_config: { gemm_dtype: "fp8" } } },
  // @ts-expect-error: no config at all
  "default",
];

export const badTasks: Task[] = [
  // @ts-expect-error: an engine that nobody knows
  { base_runtime: "vlm" },
  // @ts-expect-error: an empty list
  { quant_config: { gemm_dtype: [] } },
  // @ts-expect-error: a wrong value in a list
  { quant_config: { gemm_dtype: ["auto", "fp16"] } },
  // @ts-expect-error: a preset of the other form beside a field
  { quant_config: { presets: ["default", "universal-fp8"], gemm_dtype: "fp8" } },
  // @ts-expect-error: both forms
  { quant_config: { gemm_dtype: "fp8", kv_cache: { dtype: "auto" } } },
  // @ts-expect-error: preset and presets
  { quant_config: { presets: ["default"], preset: "default" } },
  // @ts-expect-error: a preset that nobody knows
  { parameters: { quantization_preset: ["fp8"] } },
  // @ts-expect-error: a number of iterations
  { optimization: { max_iterations: "4" } },
];
