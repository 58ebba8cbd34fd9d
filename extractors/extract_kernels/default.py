"""SGLang's attention: the backend that a release takes by itself.

The function that chooses has moved three times. It is followed for one GPU and one kind of
attention, with a launch that asks for nothing and a model that nothing treats apart; what a release
does for single architectures before that function is not in it.
"""

from __future__ import annotations

from typing import Any

from extract_surface.objects import ParserBase
from extract_surface.values import ClassValue, External, Function, Instance, Unknown

from . import answers
from .rows import grouped
from .world import Refused, World

_ARGS = "sglang.srt.server_args"
_RUNNER = "sglang.srt.model_executor.model_runner"
# Where a release chooses, the newest place first; the last part of what is asked is the function.
PLACES = (
    ("sglang.srt.arg_groups.model_override_base", "", "get_default_attn_backend"),
    (_ARGS, "ServerArgs", "_get_default_attn_backend"),
    (_ARGS, "ServerArgs", "_handle_attention_backend_compatibility"),
    (_RUNNER, "ModelRunner", "model_specific_adjustment"),
)
# A model of the kind, and one whose architecture every release names that ever named some.
KINDS = {"heads": "SomeForCausalLM", "heads_named": "LlamaForCausalLM", "mla": "SomeForCausalLM"}
_LAUNCH = {"a launch": True, "attention_backend": None, "prefill_attention_backend": None,
           "decode_attention_backend": None, "speculative_algorithm": None,
           "speculative_eagle_topk": None, "kv_cache_dtype": "auto", "device": "cuda",
           "enable_deterministic_inference": False, "page_size": None, "tp_size": 1}  # fmt: skip
ANSWERS: dict[str, Any] = {
    **answers.COMMON,
    "is_hopper_with_cuda_12_3": answers.between(90, 100),
    "is_sm90_supported": answers.between(90, 100),
    "is_sm100_supported": answers.between(100, 110),
    "is_sm120_supported": answers.between(120),
    "is_blackwell_supported": answers.between(100),
    "is_flashinfer_available": True,
    "is_no_spec_infer_or_topk_one": True,
    "is_musa": False,
}


class Card(ParserBase):
    """What newer releases ask for the GPU."""

    def __init__(self, number: int) -> None:
        self.known = {
            "is_cuda": True,
            "has_flashinfer": True,
            "is_sm90": 90 <= number < 100,
            "is_hopper_with_cuda_12_3": 90 <= number < 100,
            "is_sm100": 100 <= number < 110,
            "is_sm120": number >= 120,
        }

    def method(self, name: str) -> Any:
        """Return an attribute; the card is of no other platform."""
        return self.known.get(name, False if name.startswith("is_") else Unknown(name))

    def call(self, name: str, args: list[Any], kwargs: dict[str, Any], interp: Any) -> Any:
        """Nothing is called."""
        return Unknown(name)


class Defaults(World):
    """A release that chooses for one model."""

    latent = False
    model: Any = None

    def module_name(self, module_name: str, name: str) -> Any:
        """Return a name of a module; some older answers are no functions there."""
        found = super().module_name(module_name, name)
        named = isinstance(found, Function) and found.name == name
        return External(f"world.{name}") if name in ANSWERS and not named else found

    def attribute(self, base: Any, name: str) -> Any:
        """Return an attribute; of a launch that asks for nothing, switches are off."""
        base = self.force(base)
        asked = isinstance(base, Instance) and base.attrs.get("a launch") is True
        if asked and name not in base.attrs and name.startswith(("enable_", "disable_", "is_")):
            return False
        return super().attribute(base, name)

    def call(self, function: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """Call a value; what is known of the launch is not looked up."""
        name = function.name if isinstance(function, Function) else ""
        if name == "get_platform":
            return Card(self.capability.number)
        if name in ("resolving_view", "resolved_view"):
            return args[0]
        if name == "use_mla_backend":
            return self.latent
        if name in ("model_config_of", "get_model_config"):
            return self.model
        return super().call(function, args, kwargs)


def _model(world: World, architecture: str, latent: bool) -> Instance:
    config = Instance(External("world.Config"), {})
    config.attrs = {"architectures": [architecture], "quantization_config": None, "model_type": ""}
    kinds = world.module_name("sglang.srt.configs.model_config", "AttentionArch")
    members = world.members(kinds) if isinstance(kinds, ClassValue) else None
    wanted = "MLA" if latent else "MHA"
    arch = next((one for one in members or [] if one.name == wanted), Unknown("kind of attention"))
    return Instance(External("world.Model"), {
        "hf_config": config, "hf_text_config": config, "has_attention_sinks": False,
        "has_asymmetric_kv": False, "attention_arch": arch})  # fmt: skip


def _asked(world: Defaults, module: str, owner: str, name: str) -> str | None:
    """Return what one place chooses; ``None`` if the release has it not, or leaves it open."""
    launch = Instance(External("world.Launch"), {**_LAUNCH, "model_config": world.model})
    found = world.module_name(module, owner or name)
    arguments: list[Any] = [launch, world.latent, world.model]
    if owner:
        held = world.class_attribute(found, name) if isinstance(found, ClassValue) else None
        if not held or not isinstance(held[0], Function):
            return None
        this = Instance(found, dict(launch.attrs))
        if module == _RUNNER:
            this.attrs = {"server_args": launch, "use_mla_backend": world.latent,
                          "model_config": world.model, "is_hybrid": False}  # fmt: skip
        else:
            launch = this
        arguments = arguments[1:] if name == "_get_default_attn_backend" else []
        found = held[0].bind(this, held[1])
    if not isinstance(found, Function):
        return None
    world.steps = world.depth = world.uncertain = 0
    try:
        answer = world.call(found, arguments, {})
    except (Refused, RuntimeError):
        answer = None
    chosen = answer if isinstance(answer, str) else launch.attrs.get("attention_backend")
    return chosen if isinstance(chosen, str) else None


def taken(world: Defaults, kind: str) -> tuple[str, str] | None:
    """Return the place that chooses for a kind of attention, and what."""
    world.latent = kind == "mla"
    world.model = _model(world, KINDS[kind], world.latent)
    for module, owner, name in PLACES:
        if chosen := _asked(world, module, owner, name):
            return module, chosen
    return None


def read(worlds: dict[str, Defaults]) -> dict[str, Any]:
    """Return, for each kind of attention, what is taken on each GPU."""
    out: dict[str, Any] = {}
    for kind in KINDS:
        found = {gpu: taken(world, kind) for gpu, world in worlds.items()}
        known = {gpu: one for gpu, one in found.items() if one is not None}
        if known:
            rows = {gpu: [{"order": [one[1]]}] for gpu, one in known.items()}
            out[kind] = {"module": next(iter(known.values()))[0], "takes": grouped(rows)}
    return out
