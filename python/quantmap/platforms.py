"""Models that a serving platform starts: its own words for them, as words of the engine."""

from __future__ import annotations

import json
import re
from functools import lru_cache

from . import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__: list[str] = []

ENGINE = "vllm"  # of files that know no other
# Keys of a model, and what the chart writes for them: vllm-project/production-stack
# helm/templates/deployment-vllm-multi.yaml@010004ee.
_STACK_SWITCHES = {"enableLoRA": "--enable-lora", "enableTool": "--enable-auto-tool-choice"}
_STACK_VALUES = {"toolCallParser": "--tool-call-parser"}


def served_model(item: dict[str, Any]) -> tuple[list[str], str | None, str] | None:
    """The words that start a model, of a mapping in which a platform's file names it.

    KServe and KubeAI name the engine, vLLM's production stack and llm-d a model's settings, and
    Ray Serve the arguments as the engine's constructor has them.

    Args:
        item: the mapping.

    Returns:
        tuple[list[str], str | None, str] | None: the words, the image if one is given, and the key
            behind which the mapping stands; None when it is something else.

    Example:
        >>> served_model({"engine": "VLLM", "url": "hf://a/b", "args": ["--dtype=half"]})
        (['vllm', 'serve', 'a/b', '--dtype=half'], None, 'engine')
    """
    if isinstance(item.get("modelFormat"), dict):
        if item["modelFormat"].get("name") == "huggingface":
            return _of_kserve(item)
        started = _started(item["modelFormat"].get("name"), None)
        key = "args" if item.get("args") else "modelFormat"
        return ([*started, *_texts(item.get("args"))], None, key) if started else None
    if isinstance(item.get("engine"), str) and isinstance(item.get("url"), str):
        started = _started(item["engine"], item["url"].partition("://")[2] or item["url"])
        return ([*started, *_texts(item.get("args"))], None, "engine") if started else None
    if isinstance(item.get("modelURL"), str):
        return _of_stack(item)
    if isinstance(item.get("engine_kwargs"), dict):
        started = _started(ENGINE, None) or []
        given = [*_model_of_ray(item), *_arguments(item["engine_kwargs"])]
        return [*started, *given], None, "engine_kwargs"
    if item.get("modelCommand") == "vllmServe":
        image = item.get("image")
        words = [*(_started(ENGINE, "$MODEL") or []), *_texts(item.get("args"))]
        return words, image if isinstance(image, str) else None, "modelCommand"
    return None


# Arguments of KServe's own server, which gives all others to vLLM: kserve/kserve
# python/huggingfaceserver/huggingfaceserver/__main__.py@v0.15.0.
_KSERVE_OWN = {
    "--model_name",
    "--model_dir",
    "--model_revision",
    "--tokenizer_revision",
    "--max_length",
    "--disable_lower_case",
    "--disable_special_tokens",
    "--tensor_input_names",
    "--return_token_type_ids",
    "--return_probabilities",
    "--return_raw_logits",
    "--predictor_host",
    "--task",
    "--backend",
    "--http_port",
    "--grpc_port",
    "--workers",
}


def _of_kserve(item: dict[str, Any]) -> tuple[list[str], str | None, str] | None:
    """What KServe's server for Hugging Face models hands to vLLM; None for its other backend."""
    words, own, model = [], False, None
    for word in _texts(item.get("args")):
        name, mark, value = word.partition("=")
        if own and not word.startswith("-"):
            own = False
            continue
        if name == "--backend" and value == "huggingface":
            return None
        own = name.replace("-", "_").replace("__", "--", 1) in _KSERVE_OWN and not mark
        if name == "--model_id" and mark:
            model = value
        elif not own and name not in _KSERVE_OWN:
            words.append(word)
    if model is None:
        model = "/mnt/models" if item.get("storageUri") else "$MODEL"
    key = "args" if item.get("args") else "modelFormat"
    return [*(_started(ENGINE, model) or []), *words], None, key


def _started(name: Any, model: str | None) -> list[str] | None:
    """What starts the engine of a name, in its newest form."""
    for engine in _core.engines():
        if str(name).lower() in engine["runtime_names"]:
            words, flag = engine["launchers"][0]
            given = [] if model is None else [flag, model] if flag else [model]
            return [*words, *given]
    return None


def _of_stack(item: dict[str, Any]) -> tuple[list[str], str | None, str]:
    settings = item.get("vllmConfig")
    words = _started(ENGINE, item["modelURL"]) or []
    if isinstance(settings, dict):
        words += _arguments({_snake(str(key)): value for key, value in settings.items()})
        words += _texts(settings.get("extraArgs"))
    words += [flag for key, flag in _STACK_SWITCHES.items() if item.get(key) is True]
    for key, flag in _STACK_VALUES.items():
        words += [flag, str(item[key])] if item.get(key) else []
    image = item.get("repository")
    if isinstance(image, str) and item.get("tag"):
        image = f"{image}:{item['tag']}"
    return words, image if isinstance(image, str) else None, "modelURL"


def _model_of_ray(item: dict[str, Any]) -> list[str]:
    loading = item.get("model_loading_config")
    if not isinstance(loading, dict):
        return []
    source = loading.get("model_source", loading.get("model_id"))
    return [source] if isinstance(source, str) else []


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def _arguments(settings: dict[str, Any]) -> list[str]:
    """Settings by name as flags; what no release has as a flag is the platform's own."""
    words: list[str] = []
    for key, value in settings.items():
        flag = "--" + str(key).replace("_", "-")
        if flag not in _flags():
            continue
        if value is True:
            words.append(flag)
        elif value is False:
            words.append("--no-" + flag[2:])
        elif value is not None:
            words.append(
                f"{flag}={json.dumps(value) if isinstance(value, (dict, list)) else value}"
            )
    return words


@lru_cache(maxsize=1)
def _flags() -> frozenset[str]:
    """The flags of all releases, of those too that are old."""
    versions = [row["version"] for row in _core.releases(ENGINE)]
    return frozenset(flag for version in versions for flag in _core.surface(ENGINE, version))


def _texts(value: Any) -> list[str]:
    if not isinstance(value, list):
        return []
    return [str(word) for word in value if isinstance(word, (str, int, float))]
