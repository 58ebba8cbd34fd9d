"""When two launches are the same, and the signature that says so."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from .release import Release


def normalized(
    release: Release, args: dict[str, str | bool], keep_defaults: bool
) -> dict[str, str | bool]:
    """Arguments by identity, as far as they make a difference."""
    named = {release.identity(flag): value for flag, value in args.items()}
    if release.version is None:
        return named
    return {
        flag: release.normal(flag, value)
        for flag, value in named.items()
        if value is not False and (keep_defaults or not release.is_default(flag, value))
    }


def sorted_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: sorted_keys(value[key]) for key in sorted(value)}
    return [sorted_keys(item) for item in value] if isinstance(value, list) else value


def model_of(task: dict[str, Any]) -> dict[str, Any]:
    model = task.get("model")
    if not isinstance(model, dict):
        return {"id": model, "revision": None}
    names = [model[key] for key in ("id_or_path", "id", "name") if model.get(key) is not None]
    return {"id": names[0] if names else None, "revision": model.get("revision")}


def signature(task: dict[str, Any], release: Release, launch: dict[str, dict[str, Any]]) -> str:
    """The sum of the hashes of everything that decides the launch."""
    items: list[Any] = [
        [
            "plan",
            1,
            release.engine,
            release.version or "documented",
            model_of(task),
            task.get("runtime_image_tag"),
            sorted_keys(task.get("benchmark")),
        ]
    ]
    items += [["arg", name, value] for name, value in launch["args"].items()]
    items += [["env", name, value] for name, value in launch["env"].items()]
    for name, text in launch["files"].items():
        items.append(["file", name, hashlib.sha256(text.encode()).hexdigest()])
    total = 0
    for item in items:
        text = json.dumps(item, ensure_ascii=True, separators=(",", ":"))
        total += int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big")
    return f"{total % 2**128:032x}"
