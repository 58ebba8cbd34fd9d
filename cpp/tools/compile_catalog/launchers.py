"""How an engine is started: launchers, packages beside it, containers."""

from __future__ import annotations

from typing import Any

from common import Writer, text, version_key


class Releases:
    """The releases of an engine by number, to turn versions into numbers."""

    def __init__(self, surface: dict[str, Any] | None) -> None:
        self.versions = [r["version"] for r in surface["releases"]] if surface else []
        self.keys = [version_key(version) for version in self.versions]
        self.flags = sorted(surface["flags"]) if surface else []

    def number(self, version: str, end: int) -> int:
        """The first release that is not older; `end` for an open end."""
        if not version:
            return end
        key = version_key(version)
        return next((i for i, other in enumerate(self.keys) if other >= key), len(self.keys))

    def interval(self, item: dict[str, Any]) -> str:
        since = self.number(item.get("since", ""), 0)
        return f"{since}, {self.number(item.get('until', ''), 0xFFFF)}"

    def flag(self, name: str) -> int:
        return self.flags.index(name) if name in self.flags else -1


def compile_launchers(launchers: list[dict[str, Any]], releases: Releases, out: Writer) -> str:
    rows = []
    for launcher in launchers:
        always = "0, 0xFFFF" if "model_flag" not in launcher else "0, 0"
        spans = [
            releases.interval(launcher[key]) if key in launcher else otherwise
            for key, otherwise in (
                ("positional", always),
                ("ignores_positional", "0, 0"),
                ("exists", "0, 0xFFFF"),
            )
        ]
        own = out.array(
            "OwnFlag",
            (
                f"{{{text(f['name'])}, {{{releases.interval(f)}}}}}"
                for f in launcher.get("own_flags", [])
            ),
        )
        rows.append(
            f"{{{out.texts(launcher['words'])}, {text(launcher.get('model_flag', ''))}, "
            f"{{{spans[0]}}}, {{{spans[1]}}}, {own}, "
            f"{out.texts(launcher.get('other_commands', []))}, {{{spans[2]}}}, "
            f"{out.texts(launcher.get('lacks', []))}}}"
        )
    return out.array("Launcher", rows)


def compile_callables(callables: list[dict[str, Any]], out: Writer) -> str:
    rows = []
    for row in callables:
        renamed = out.array(
            "RenamedParameter",
            (f"{{{text(name)}, {text(flag)}}}" for name, flag in row.get("renamed", {}).items()),
        )
        names = out.texts(row["names"])
        rows.append(f"{{{text(row['package'])}, {names}, {text(row['model'])}, {renamed}}}")
    return out.array("Callable", rows)


def compile_plugins(plugins: list[dict[str, Any]], out: Writer) -> str:
    rows = []
    for plugin in plugins:
        values = out.array(
            "PluginValue",
            (f"{{{text(v['flag'])}, {text(v['value'])}}}" for v in plugin.get("values", [])),
        )
        rows.append(
            f"{{{text(plugin['package'])}, {out.texts(plugin.get('flags', []))}, {values}, "
            f"{text(plugin['variables'])}}}"
        )
    return out.array("Plugin", rows)


def compile_old_variables(row: dict[str, Any] | None, releases: Releases) -> str:
    """Variables that have another prefix now."""
    if row is None:
        return "{}"
    since = releases.interval(row).partition(",")[0].strip("{ ")
    return f"{{{text(row['from'])}, {text(row['to'])}, {since}}}"


def compile_container(container: dict[str, Any], releases: Releases, out: Writer) -> str:
    images = out.array(
        "ContainerImage",
        (f"{{{releases.interval(i)}, {text(i['name'])}}}" for i in container.get("images", [])),
    )
    entrypoints = out.array(
        "Entrypoint",
        (
            f"{{{{{releases.interval(e)}}}, {e['launcher']}}}"
            for e in container.get("entrypoints", [])
        ),
    )
    starts_server = str(bool(container.get("starts_server"))).lower()
    return (
        f"{{{images}, {starts_server}, {entrypoints}, "
        f"{out.texts(container.get('options', []))}, "
        f"{out.texts(container.get('other_images', []))}, "
        f"{out.texts(container.get('numbered_apart', []))}}}"
    )
