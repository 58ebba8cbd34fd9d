"""What an engine measured when it started, from its log, and how far an estimate was from it."""

from __future__ import annotations

import json
import os
import re

from . import _core
from .errors import ConfigError
from .result import Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .fit import Fit
    from .words import Count, Engine

__all__ = ["BootLog", "Part", "read_boot_log"]

GIBIBYTE = 1 << 30
MEBIBYTE = 1 << 20
USUAL_BLOCK = 16  # tokens, where a log counts blocks
LONGEST_LOG = 64 * 1024 * 1024


class Part(Result):
    """One part of a boot log beside its estimate.

    Attributes:
        part: ``weights``, ``KV room`` or ``tokens``.
        measured: by the engine: bytes on one GPU, or tokens.
        estimated: the same.
        cause: the likely one of a difference; empty where there is none.
    """

    part: str
    measured: float
    estimated: float
    cause: str


class BootLog(Result):
    """The figures of one boot log; a part that the log does not tell is None.

    Attributes:
        engine: the engine whose lines were found.
        release: the release that it names, or None.
        weights: bytes of weights on one GPU.
        kv: bytes of the KV cache; negative when the engine found no room.
        tokens: of the KV cache.
        graphs: bytes of CUDA graphs, as estimated before the cache was made.
        context: tokens of one sequence.
        lines: how many lines told something.
    """

    engine: Engine
    release: str | None
    weights: float | None
    kv: float | None
    tokens: int | None
    graphs: float | None
    context: int | None
    lines: Count

    _shown = ("engine", "release", "tokens")

    @classmethod
    def told(cls, engine: str, parts: dict[str, str | float], lines: int) -> BootLog:
        """What the lines of a log tell.

        Args:
            engine: whose they are.
            parts: what was read, by part.
            lines: how many.

        Returns:
            BootLog: tokens are those of the log, else its blocks times 16.
        """
        release, context = parts.get("release"), _number(parts, "context")
        tokens, blocks = _number(parts, "tokens"), _number(parts, "blocks")
        if tokens is None and blocks is not None:
            tokens = blocks * USUAL_BLOCK
        return cls(
            engine=engine,
            release=release if isinstance(release, str) else None,
            lines=lines,
            weights=_number(parts, "weights"),
            kv=_number(parts, "kv"),
            graphs=_number(parts, "graphs"),
            tokens=None if tokens is None else int(tokens),
            context=None if context is None else int(context),
        )

    def compare(self, fit: Fit) -> list[Part]:
        """Part by part: what the log says, what was estimated, and the likely cause.

        Args:
            fit: the estimate for the same launch.

        Returns:
            list[Part]: one for each part that the log tells.
        """
        out: list[Part] = []
        if self.weights is not None:
            out.append(Part("weights", self.weights, fit.weight_bytes, _why_weights(self, fit)))
        if self.kv is not None:
            out.append(Part("KV room", self.kv, fit.kv_budget_bytes, _why_room(self, fit)))
        if self.tokens is not None:
            out.append(Part("tokens", self.tokens, fit.tokens, _why_tokens(self, fit)))
        return out

    def correction(self, fit: Fit) -> dict[str, float]:
        """What the next estimate on this GPU and release needs: `estimate(correction=...)`.

        Args:
            fit: the estimate for the same launch.

        Returns:
            dict: `held_back`, bytes that the cache did not get, and `weights`, their ratio.
        """
        ratio = self.weights / fit.weight_bytes if self.weights and fit.weight_bytes else 1.0
        out = {"weights": ratio, "held_back": 0.0}
        if self.kv is not None and fit.kv_budget_bytes:
            surprise = fit.weight_bytes * (ratio - 1)
            out["held_back"] = float(fit.kv_budget_bytes - surprise - self.kv)
        return out


def _number(parts: dict[str, str | float], name: str) -> float | None:
    value = parts.get(name)
    return None if value is None else float(value)


def _off(measured: float, estimated: float, share: float) -> bool:
    return abs(estimated - measured) > share * abs(measured)


def _why_weights(log: BootLog, fit: Fit) -> str:
    if log.weights is None or not _off(log.weights, fit.weight_bytes, 0.03):
        return ""
    if fit.weights_exact:
        return "the engine stores them otherwise than the files do: padding, or another precision"
    if log.weights > fit.weight_bytes:
        return "parts that the config does not tell, or modules left in 16 bits"
    return "modules are divided or quantized that were counted whole"


def _why_room(log: BootLog, fit: Fit) -> str:
    if log.kv is None or not _off(log.kv, fit.kv_budget_bytes, 0.05):
        return ""
    rest = fit.kv_budget_bytes - log.kv - ((log.weights or fit.weight_bytes) - fit.weight_bytes)
    if abs(rest) < 0.3 * GIBIBYTE:
        return "only what the weights differ"
    if rest > 0:
        return "activations or buffers are larger, or another process holds memory"
    return "activations or buffers are smaller than calibration logs show"


def _why_tokens(log: BootLog, fit: Fit) -> str:
    if log.tokens is None or not _off(log.tokens, fit.tokens, 0.05):
        return ""
    if log.kv and fit.kv_budget_bytes and log.tokens:
        each = log.kv / log.tokens
        own = fit.kv_budget_bytes / max(fit.tokens, 1)
        if abs(each / own - 1) > 0.03:
            return f"{each:,.0f} bytes a token, not {own:,.0f}: another KV type or layout"
    return "only what the KV room differs"


def read_boot_log(text: str, engine: str | None = None) -> BootLog | None:
    """Read the figures that an engine prints when it starts.

    Args:
        text: the log; other lines may stand between. Of vLLM also the start-up plan that it keeps.
        engine: the engine's id; None takes the one whose lines are most.

    Returns:
        BootLog: what was found, or None when no line tells anything.

    Raises:
        ConfigError: the log is no text.

    Example:
        >>> from quantmap import read_boot_log
        >>> line = "INFO gpu_worker.py: Available KV cache memory: 58.11 GiB"
        >>> log = read_boot_log(line)
        >>> log.engine, round(log.kv / 2**30, 2)
        ('vllm', 58.11)
    """
    if not isinstance(text, str):
        context = {"expected": "a string", "got": _core.describe(text), "hint": ""}
        raise ConfigError([_core.make_diagnostic("wrong-type", "text", context)])
    text = text[:LONGEST_LOG]
    best: BootLog | None = None
    found: dict[str, dict[str, str | float]] = {}
    counts: dict[str, int] = {}
    for name, part, pattern, unit, plus in _core.memory_log_lines():
        if engine is not None and name != engine:
            continue
        matches = list(re.finditer(pattern, text))
        if not matches:
            continue
        parts = found.setdefault(name, {})
        if part != "release":
            counts[name] = counts.get(name, 0) + len(matches)
        if part in parts:
            continue
        groups = [group.replace(",", "") for group in matches[-1].groups()]
        if part == "release":
            parts[part] = groups[0]
        else:
            parts[part] = sum(map(float, groups)) * unit + plus * MEBIBYTE
    for name, count in counts.items():
        if best is None or count > best.lines:
            best = BootLog.told(name, found[name], count)
    return best


def _corrections_file() -> str:
    base = os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")
    return os.path.join(base, "quantmap", "memory.json")


def _corrections() -> dict[str, Any]:
    try:
        with open(_corrections_file(), encoding="utf-8") as handle:
            data = json.load(handle)
    except (OSError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _key(engine: str, release: str, gpu: str) -> str:
    return f"{engine}@{release} {gpu}"


def keep_correction(fit: Fit, correction: dict[str, float]) -> str:
    """Keep a correction for this GPU and release, for the command `quantmap fit`.

    Args:
        fit: the estimate that it corrects.
        correction: what `BootLog.correction` returned.

    Returns:
        str: the file: ``$XDG_DATA_HOME/quantmap/memory.json``.
    """
    path = _corrections_file()
    data = _corrections()
    data[_key(fit.engine, fit.version, fit.gpu or "")] = {
        **correction,
        "parameters": fit.parameters,
    }
    os.makedirs(os.path.dirname(path), exist_ok=True)
    fresh = f"{path}.{os.getpid()}.part"
    with open(fresh, "w", encoding="utf-8") as handle:
        json.dump(data, handle, indent=1, sort_keys=True)
    os.replace(fresh, path)
    return path


def correction_for(fit: Fit) -> dict[str, float] | None:
    """The correction that is kept for an estimate's GPU and release, if there is one.

    Args:
        fit: an estimate.

    Returns:
        dict: to give to `estimate`, or None.
    """
    kept = _corrections().get(_key(fit.engine, fit.version, fit.gpu or ""))
    if not isinstance(kept, dict):
        return None
    held_back, ratio = kept.get("held_back"), kept.get("weights")
    if not isinstance(held_back, (int, float)):
        return None
    # Weights are a matter of the model, all else of GPU and release.
    same = kept.get("parameters") == fit.parameters and isinstance(ratio, (int, float))
    return {"held_back": float(held_back), "weights": float(ratio) if same and ratio else 1.0}
