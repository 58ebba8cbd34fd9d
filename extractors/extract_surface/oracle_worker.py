"""Builds an engine's own argument parser and prints it as JSON. Runs inside of the oracle's
environment only, as a script; the extractor itself never imports an engine.

Modules that the engine's own files import and that are not installed are replaced by stand-ins,
since a parser needs none of what they do. No GPU is used; the release looks like a CPU build.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import importlib.abc
import importlib.machinery
import json
import sys
import tempfile
import types
from pathlib import Path
from typing import Any

_ME = __file__
_NOT_HERE = {
    "amdsmi",
    "habana_frameworks",
    "libneuronxla",
    "libtpu",
    "neuronx_distributed_inference",
    "pathwaysutils",
    "pynvml",
    "torch_neuronx",
    "torch_xla",
    "tpu_inference",
    "transformers_neuronx",
}
_FIRST = ("torch", "torch._dynamo", "transformers")


class _Meta(type):
    """Classes whose every attribute is a stand-in."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return StandIn

    def __iter__(cls) -> Any:
        return iter(())

    def __bool__(cls) -> bool:
        return False

    def __len__(cls) -> int:
        return 0

    def __or__(cls, other: Any) -> Any:
        return cls

    def __ror__(cls, other: Any) -> Any:
        return cls

    def __getitem__(cls, item: Any) -> Any:
        return cls


class StandIn(metaclass=_Meta):
    """Takes any call; as a decorator, it returns what it decorates."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        if cls is StandIn and len(args) == 1 and callable(args[0]) and not kwargs:
            return args[0]
        return object.__new__(cls)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def __init_subclass__(cls, **kwargs: Any) -> None:
        pass

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        return importlib.import_module("pydantic_core.core_schema").any_schema()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return args[0] if len(args) == 1 and callable(args[0]) else StandIn

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return StandIn

    def __bool__(self) -> bool:
        return False

    def __iter__(self) -> Any:
        return iter(())


class StandInModule(types.ModuleType):
    """A module of stand-ins."""

    __version__ = "0.0.0"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__path__: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return StandIn


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds stand-ins for what the engine's own files import."""

    def __init__(self, source: str, package: str) -> None:
        self.source = source
        self.package = package
        self.replaced: dict[str, None] = {}

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Return a spec if the importing file is the engine's."""
        root = name.split(".")[0]
        if root == self.package or root in _NOT_HERE:
            return None
        frame: Any = sys._getframe(1)
        while frame and (
            "importlib" in frame.f_code.co_filename or frame.f_code.co_filename == _ME
        ):
            frame = frame.f_back
        own = bool(frame) and frame.f_code.co_filename.startswith(self.source)
        if not own and root not in self.replaced:
            return None
        self.replaced[root] = None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: Any) -> Any:
        """Return an empty stand-in."""
        return StandInModule(spec.name)

    def exec_module(self, module: Any) -> None:
        """A stand-in has no code."""


def _first(*names: str) -> Any:
    """Return the first of the named objects whose module exists; other errors are not hidden."""
    for name in names:
        module, _, attribute = name.rpartition(".")
        try:
            return getattr(importlib.import_module(module), attribute)
        except ModuleNotFoundError as error:
            if not module.startswith(error.name or "?"):
                raise
    raise ModuleNotFoundError(f"none of {', '.join(names)}")


def build(package: str) -> argparse.ArgumentParser:
    """Return the engine's own parser."""
    made: argparse.ArgumentParser
    if package == "vllm":
        parser = _first(
            "vllm.utils.argparse_utils.FlexibleArgumentParser", "vllm.utils.FlexibleArgumentParser"
        )()
        try:
            serve = importlib.import_module("vllm.entrypoints.cli.serve").ServeSubcommand()
            made = serve.subparser_init(parser.add_subparsers())
        except Exception:  # this command line needs more than its parser does
            made = _first(
                "vllm.entrypoints.common.cli_args.make_arg_parser",
                "vllm.entrypoints.openai.cli_args.make_arg_parser",
            )(parser)
        return made
    module = "sglang.srt.server_args" if package == "sglang" else "sgl_jax.srt.server_args"
    made = argparse.ArgumentParser()
    importlib.import_module(module).ServerArgs.add_cli_args(made)
    return made


def _json(value: Any) -> Any:
    value = getattr(value, "value", value) if type(value).__module__ != "builtins" else value
    if isinstance(value, (set, frozenset)):
        value = sorted(value, key=str)
    if isinstance(value, tuple):
        value = list(value)
    try:
        text = json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return {"unknown": True}
    return json.loads(text)


def describe(parser: argparse.ArgumentParser) -> list[dict[str, Any]]:
    """Return the parser's options."""
    out = []
    spelled: dict[int, list[str]] = {}
    for name, action in parser._option_string_actions.items():
        spelled.setdefault(id(action), []).append(name)
    for action in parser._actions:
        if isinstance(action, argparse._HelpAction):
            continue
        choices = None
        if action.choices is not None:
            choices = [_json(item) for item in action.choices if item is not None]
        out.append({
            "names": spelled.get(id(action)) or [action.dest],
            "action": type(action).__name__,
            "type": getattr(action.type, "__name__", None),
            "nargs": action.nargs,
            "choices": choices,
            "default": None if action.default == argparse.SUPPRESS else _json(action.default),
            "required": bool(action.required and action.option_strings),
        })  # fmt: skip
    return out


def main() -> None:
    """Print the parser of the engine whose sources lie in the given folder."""
    source, package, version = sys.argv[1:4]
    for name in _FIRST:
        with contextlib.suppress(ModuleNotFoundError):
            importlib.import_module(name)
    shadow = Path(tempfile.mkdtemp())
    record = shadow / f"{package}-{version}.dist-info"
    record.mkdir()
    text = f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}+cpu\n"
    (record / "METADATA").write_text(text, encoding="utf-8")
    sys.path[:0] = [source, str(shadow)]
    sys.argv = ["oracle"]
    finder = Finder(source, package)
    sys.meta_path.append(finder)
    options = describe(build(package))
    print("\n" + json.dumps({"options": options, "replaced": sorted(finder.replaced)}))


if __name__ == "__main__":
    main()
