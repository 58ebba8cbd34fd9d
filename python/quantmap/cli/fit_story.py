"""What people read of `quantmap fit`: a verdict for each config, a bar, and what to do about it."""

from __future__ import annotations

import os
import sys

from ..fit import Fit
from .style import release_words, show_line
from .tables import Mark, say, show_table

WIDTH = 48  # characters of a bar
GIGABYTE = 1e9
GOOD = ("fits", "tight", "unknown")


def show_fits(model: str, names: list[str], fits: list[Fit], why: bool) -> None:
    """What each config takes and whether it fits, then what all of it rests on."""
    first = fits[0]
    gpus = f"{first.tp * first.pp} x {first.gpu}" if first.gpu else "no GPU given"
    title = " · ".join(
        [
            os.path.basename(model.rstrip("/")) if model != "-" else "config",
            release_words(first.engine_name, first.version, first.diagnostics),
            gpus,
            f"{first.concurrency} x {first.context:,} tokens",
        ]
    )
    if sys.stdout.isatty():
        say(title, bold=True)
        for name, fit in zip(names, fits):
            _show_fit(name if len(fits) > 1 or name != "-" else "", fit)
    else:
        columns = ["config", "weights", "KV/token", "KV asked", "KV room", "tokens", "sequences"]
        show_table(title, [*columns, "verdict"], [_row(*pair) for pair in zip(names, fits)])
        for name, fit in zip(names, fits):
            if _is_judged(fit):
                say()
                say(f"{name}  {_bar(fit)}")
                say("  " + _parts(fit))
            for text in _remarks(fit):
                say("  " + text)
    say()
    _show_warnings(names, fits)
    if why:
        _show_ground(names, fits)
    else:
        say("What the numbers rest on: --why")


def _is_judged(fit: Fit) -> bool:
    """Whether GPU and engine are known well enough for more than sizes."""
    return fit.memory_bytes is not None and fit.verdict != "unknown"


def _show_fit(name: str, fit: Fit) -> None:
    """One config on a terminal: the verdict, what it means, and the bar with its parts."""
    verdict = fit.verdict if _is_judged(fit) else "sizes"
    show_line(verdict, name, 0)
    if fit.tokens or not _is_judged(fit):
        for text in _meaning(fit):
            say(f"    {text}")
    if _is_judged(fit):
        say(f"    {_bar(fit)}")
        for letter, part, size in _sizes(fit):
            if size > 0:
                say(f"    {letter} {part:<24}{in_gb(size):>10}")
    for text in _remarks(fit):
        say(f"    {text}")


def _meaning(fit: Fit) -> list[str]:
    """What a verdict says in tokens and sequences."""
    _, weights, token, asked, *_ = _row("", fit)
    if not _is_judged(fit):
        return [f"weights {weights}, KV cache {token} for a token, {asked} for what is asked"]
    low, high = fit.tokens_band
    room = f"room for {fit.tokens:,} tokens ({low:,} to {high:,})"
    at_once = f"{fit.sequences:,} sequence{'s' * (fit.sequences != 1)} at a time"
    return [f"{room}, {at_once}", f"KV cache: {token} for a token"]


def _remarks(fit: Fit) -> list[str]:
    """What to do about a verdict, and what it leaves out."""
    out = []
    if fit.verdict == "fits-with-less-context":
        out.append(f"up to {fit.longest_context:,} tokens each, by the best guess")
    if fit.verdict == "tight":
        low, high = fit.tokens_band
        out.append(f"tight: {low:,} to {high:,} tokens, as far as boot logs were from the estimate")
    if fit.cures and fit.verdict not in GOOD[:1]:
        out.append("what makes it fit: " + ", or ".join(fit.cures))
    if 0 < fit.kv_budget_bytes < fit.kv_needed_bytes:
        out.append(f"asked for {in_gb(fit.kv_needed_bytes)} of KV cache")
    short = fit.weight_bytes + fit.activation_bytes - fit.cuda_bytes
    if _is_judged(fit) and short > 0:
        out.append(f"{in_gb(short)} short of what the GPU has")
    if fit.not_counted:
        out.append("not counted: " + ", ".join(fit.not_counted))
    return out


def _row(name: str, fit: Fit) -> list[str]:
    per_token = f"{fit.kv_token_bytes / 1000:.1f} kB"
    if fit.kv_window_bytes:
        per_token += f" + {in_gb(fit.kv_window_bytes)} a sequence"
    if not _is_judged(fit):
        return [
            name,
            in_gb(fit.weight_bytes),
            per_token,
            in_gb(fit.kv_needed_bytes),
            "-",
            "-",
            "-",
            "-",
        ]
    return [
        name,
        in_gb(fit.weight_bytes),
        per_token,
        in_gb(fit.kv_needed_bytes),
        in_gb(fit.kv_budget_bytes),
        f"{fit.tokens:,}",
        f"{fit.sequences:,}",
        Mark(fit.verdict),
    ]


def in_gb(size: float) -> str:
    return f"{size / GIGABYTE:.1f} GB" if size >= GIGABYTE / 10 else f"{size / 1e6:.1f} MB"


def _sizes(fit: Fit) -> list[tuple[str, str, float]]:
    """Letter, name and size of everything in the memory, in the order of the bar."""
    asked = min(fit.kv_needed_bytes, fit.kv_budget_bytes)
    return [
        ("W", "weights", fit.weight_bytes),
        ("A", "activations and buffers", fit.activation_bytes),
        ("G", "CUDA graphs", fit.graph_bytes),
        ("K", "KV cache", asked),
        ("+", "room for more KV cache", fit.kv_budget_bytes - asked),
        (".", "left free", fit.kept_free_bytes),
    ]


def _bar(fit: Fit) -> str:
    """``[WWWWAKK+++..]``: as long as the memory; whatever does not fit is cut off."""
    total = fit.cuda_bytes or 1
    out, end = "", 0.0
    for letter, _, size in _sizes(fit):
        end += size / total * WIDTH
        out += letter * max(round(end) - len(out), 1 if size > 0 else 0)
    return f"[{out[:WIDTH].ljust(WIDTH, '.')}]"


def _parts(fit: Fit) -> str:
    words = [f"{letter} {name} {in_gb(size)}" for letter, name, size in _sizes(fit) if size > 0]
    return f"{', '.join(words)}, of {in_gb(fit.cuda_bytes)}"


def _show_warnings(names: list[str], fits: list[Fit]) -> None:
    for name, fit in zip(names, fits):
        refused = [diagnostic for diagnostic in fit.diagnostics if diagnostic.severity == "error"]
        for diagnostic in refused:
            say(f"{name}: refused: {diagnostic.message}")
            if diagnostic.hint:
                say(f"{' ' * len(name)}  {diagnostic.hint}")
        sizes_told = any(diagnostic.code == "size-does-not-go" for diagnostic in refused)
        for diagnostic in fit.diagnostics:
            known = sizes_told and diagnostic.code == "uneven-parallelism"
            if diagnostic.severity == "warning" and not known:
                say(f"{name}: warning: {diagnostic.message}")


def _show_ground(names: list[str], fits: list[Fit]) -> None:
    """Assumptions; those that are not shared name their config."""
    shared = [text for text in fits[0].assumptions if all(text in fit.assumptions for fit in fits)]
    for text in shared:
        say(f"assumed: {text}")
    for name, fit in zip(names, fits):
        for text in fit.assumptions:
            if text not in shared:
                say(f"assumed for {name}: {text}")
