"""Run the start-up code of an engine's release on launches that it refuses, and keep what it says.

    python tests/oracles/start_up.py sglang TREE OUT.json

TREE is an unpacked source archive or wheel. Only its own code runs that reads arguments and checks
them against each other, without a GPU: every package that is not installed is a stand-in, whose
attributes are stand-ins again. Each launch runs in a process of its own.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import json
import subprocess
import sys
import types
from pathlib import Path

# What starts the reading of arguments, and launches with what they are refused for.
ENGINES: dict[str, tuple[str, str, list[tuple[list[str], str]]]] = {
    "sglang": (
        "from sglang.srt.server_args import prepare_server_args as read\n"
        "args, sys.argv[0] = sys.argv[1:], 'launch_server.py'\n"
        "read(args)",
        "python3 -m sglang.launch_server",
        [
            (["--model-path", "m", "--nosuch", "1"], "--nosuch"),
            (["--model-path", "m", "--tp", "two"], "--tp"),
            (["--model-path", "m", "--kv-cache-dtype", "fp16"], "--kv-cache-dtype"),
            (["--model-path", "m", "--dtype", "int3"], "--dtype"),
            (["--model-path", "m", "--quantization", "nosuch"], "--quantization"),
            (["--model-path", "m", "--attention-backend", "nosuch"], "--attention-backend"),
            (["--model-path", "m", "--sampling-backend", "nosuch"], "--sampling-backend"),
            (["--model-path", "m", "--schedule-conservativeness", "x"],
             "--schedule-conservativeness"),
            (["--model-path"], "--model-path"),
        ],
    ),
    "vllm": (
        "import vllm.platforms\n"
        "from vllm.platforms.cpu import CpuPlatform\n"
        "vllm.platforms._current_platform = CpuPlatform()\n"
        "from vllm.engine.arg_utils import EngineArgs\n"
        "from vllm.utils import FlexibleArgumentParser as Parser\n"
        "args = EngineArgs.add_cli_args(Parser(prog='vllm serve')).parse_args(sys.argv[1:])\n"
        "EngineArgs.from_cli_args(args)",
        "vllm serve",
        [
            (["--model", "m", "--nosuch", "1"], "--nosuch"),
            (["--model", "m", "--tensor-parallel-size", "two"], "--tensor-parallel-size"),
            (["--model", "m", "--kv-cache-dtype", "fp16"], "--kv-cache-dtype"),
            (["--model", "m", "--dtype", "int3"], "--dtype"),
            (["--model", "m", "--tokenizer-mode", "nosuch"], "--tokenizer-mode"),
            (["--model", "m", "--load-format", "nosuch", "--seed", "x"], "--seed"),
        ],
    ),
}  # fmt: skip


_HOME = Path(json.__file__).parents[1]
_LIBRARY = {_HOME, *(path.parent for path in _HOME.glob("*/__init__.py"))}


class StandIn(types.ModuleType):
    """A module, class, function and value that is not there: whatever is asked of it is another."""

    __path__ = ()
    __file__ = "stand-in"

    def __getattr__(self, name: str) -> object:
        if name.startswith("__") and name not in ("__version__",):
            raise AttributeError(name)
        made = _Kind(name, (_Anything,), {}) if name[:1].isupper() else StandIn(name)
        setattr(self, name, made)
        return made

    def __call__(self, *_: object, **__: object) -> object:
        return self

    def __iter__(self) -> object:
        return iter(())

    def __bool__(self) -> bool:
        return False

    def __str__(self) -> str:
        return "9.9.9"

    def __mro_entries__(self, _: object) -> tuple[type, ...]:
        return (_Anything,)

    def __or__(self, _: object) -> object:
        return object

    __ror__ = __or__

    def __getitem__(self, _: object) -> object:
        return self

    def __int__(self) -> int:
        return 0

    __index__ = __len__ = __int__

    def __float__(self) -> float:
        return 0.0

    def __add__(self, other: object) -> object:
        return other

    __radd__ = __mul__ = __rmul__ = __sub__ = __rsub__ = __truediv__ = __add__

    def __deepcopy__(self, _: object) -> object:
        return self

    def __enter__(self) -> object:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def __lt__(self, _: object) -> bool:
        return False

    __gt__ = __le__ = __ge__ = __lt__


class _Kind(type):
    def __getattr__(cls, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Kind(name, (_Anything,), {}) if name[:1].isupper() else StandIn(name)

    def __int__(cls) -> int:
        return 0

    def __or__(cls, _: object) -> type:
        return object

    __ror__ = __or__

    def __iter__(cls) -> object:
        return iter(())


class _Anything(Exception, metaclass=_Kind):
    def __init__(self, *_: object, **__: object) -> None:
        super().__init__()

    def __init_subclass__(cls, **_: object) -> None:
        """Any options of a class do."""

    def __class_getitem__(cls, _: object) -> type:
        return cls

    @classmethod
    def __get_pydantic_core_schema__(cls, *_: object) -> dict[str, str]:
        return {"type": "any"}

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        return StandIn(name)

    def __call__(self, *given: object, **_: object) -> object:
        return given[0] if given and callable(given[0]) else self


def _by_library() -> bool:
    """Whether Python's library, or a package that is there, asks: each knows what it needs."""
    frame = sys._getframe(2)
    while frame is not None and "importlib" in frame.f_code.co_filename:
        frame = frame.f_back
    if frame is None:
        return False
    file = Path(frame.f_code.co_filename)
    return file.parent in _LIBRARY or "site-packages" in file.parts


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds a stand-in for every package that is not there, apart from the engine's own."""

    def __init__(self, own: str) -> None:
        self.own = own

    def find_spec(self, name: str, path: object = None, target: object = None) -> object:
        if name.partition(".")[0] in (self.own, *sys.stdlib_module_names) or _by_library():
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return StandIn(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        """Nothing is in it."""


def run(engine: str, tree: Path) -> list[dict[str, object]]:
    """What each launch of an engine says, with the argument that it is refused for."""
    code, command, launches = ENGINES[engine]
    head = (
        f"import sys; sys.path[:0] = [{str(tree)!r}, {str(Path(__file__).parent)!r}]\n"
        f"import start_up; sys.meta_path.append(start_up.Finder({engine!r}))\n"
    )
    found = []
    for words, argument in launches:
        done = subprocess.run(
            [sys.executable, "-c", head + code, *words],
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        log = f"$ {command} {' '.join(words)}\n{done.stdout}{done.stderr}"
        found.append({"log": log, "argument": argument, "code": done.returncode})
    return found


if __name__ == "__main__":
    name, folder, out = sys.argv[1:]
    Path(out).write_text(json.dumps(run(name, Path(folder).resolve()), indent=1), encoding="utf-8")
