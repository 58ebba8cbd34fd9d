"""The closed evaluator follows made-up code that builds a parser."""

from __future__ import annotations

import pytest
from extract_surface.readers import ReadError, interpreter, read_server_args
from extract_surface.values import is_unknown

from extractors.tests.extract_support import flags_of, write


def test_plain_arguments(tmp_path):
    flags = flags_of(
        tmp_path,
        """
        import argparse, json
        DEFAULT = 4 * 2
        def build(parser):
            group = parser.add_argument_group("g")
            group.add_argument("-w", "--width", "--breadth", type=int, default=DEFAULT)
            group.add_argument("--shade", choices=["red", "blue"], default="red")
            parser.add_argument("--fast", action="store_true")
            parser.add_argument("--no-slow", dest="slow", action="store_false")
            parser.add_argument("--round", action=argparse.BooleanOptionalAction, default=True)
            parser.add_argument("--many", nargs="+", type=float, default=[1.5])
            parser.add_argument("--extra", type=json.loads, default={})
            parser.add_argument("--hidden", default=argparse.SUPPRESS)
            parser.add_argument("--key", action="append", required=True)
            parser.add_argument("place", nargs="?")
    """,
    )
    assert flags["--width"] == {"aliases": ["-w", "--breadth"], "type": "int", "default": 8}
    assert flags["--shade"] == {
        "type": "choice",
        "default": "red",
        "choices": ["blue", "red"],
        "checked": "parser",
    }
    assert flags["--fast"] == {"type": "bool", "nargs": 0, "default": False}
    assert flags["--no-slow"] == {"type": "bool", "nargs": 0, "default": True, "value": False}
    assert flags["--round"] == {
        "type": "bool",
        "nargs": 0,
        "default": True,
        "aliases": ["--no-round"],
    }
    assert flags["--many"] == {"type": "list", "item": "float", "nargs": "+", "default": [1.5]}
    assert flags["--extra"] == {"type": "json", "default": {}}
    assert flags["--hidden"] == {"type": "str"}
    assert flags["--key"] == {"type": "str", "repeat": True, "required": True}
    assert flags["place"] == {"positional": True, "type": "str", "nargs": "?"}


def test_choices_from_other_modules_enums_literals_and_changes(tmp_path):
    flags = flags_of(
        tmp_path,
        """
        from typing import get_args
        from toy.kinds import Shape, Size, TABLE, SHADES
        def build(parser):
            parser.add_argument("--shape", choices=[s.value for s in Shape])
            parser.add_argument("--size", choices=get_args(Size))
            parser.add_argument("--table", choices=list(TABLE.keys()) + ["none"])
            parser.add_argument("--shade", choices=SHADES)
    """,
        kinds="""
        from enum import Enum, auto
        from typing import Literal
        class Shape(str, Enum):
            ROUND = "round"
            BALL = "round"
            FLAT = "flat"
        Size = Literal["s", Literal["m", "l"]]
        TABLE = {"b": 1}
        TABLE["a"] = 2
        SHADES = {"red"}
        SHADES.add("blue")
        for extra in ("green", "grey"):
            SHADES.add(extra)
    """,
    )
    assert flags["--shape"]["choices"] == ["flat", "round"]
    assert flags["--size"]["choices"] == ["l", "m", "s"]
    assert flags["--table"]["choices"] == ["a", "b", "none"]
    assert flags["--shade"]["choices"] == ["blue", "green", "grey", "red"]


def test_what_is_not_determined_is_unknown_and_never_anything_goes(tmp_path):
    flags = flags_of(
        tmp_path,
        """
        import torch
        from toy.missing import NAMES
        LIST = ["a"]
        if torch.cuda.is_available():
            LIST.append("b")
        def build(parser):
            parser.add_argument("--device", choices=["cpu"] + torch.devices(), default=torch.best())
            parser.add_argument("--name", choices=NAMES)
            parser.add_argument("--item", choices=LIST)
            if torch.version.hip:
                parser.add_argument("--maybe")
            parser.add_argument("--odd", type=torch.parse)
    """,
    )
    for name in ("--device", "--name", "--item"):
        assert flags[name]["choices"] == {"unknown": True}, name
    assert flags["--device"]["default"] == {"unknown": True}
    assert flags["--maybe"]["conditional"] is True
    assert flags["--odd"] == {"type": "unknown", "via": "parse"}


def test_the_environment_and_the_command_line_are_empty(tmp_path):
    flags = flags_of(
        tmp_path,
        """
        import os, sys
        from typing import TYPE_CHECKING
        if TYPE_CHECKING:
            Kind = int
        else:
            Kind = str
        def build(parser):
            if not ("serve" in sys.argv[1:]):
                parser.add_argument("--model", default=os.getenv("TOY_MODEL", "small"), type=Kind)
            if os.environ.get("TOY_DEBUG"):
                parser.add_argument("--debug")
    """,
    )
    assert flags == {"--model": {"type": "str", "default": "small"}}


def test_deprecated_and_refused_actions(tmp_path):
    flags = flags_of(
        tmp_path,
        """
        import argparse
        class Gone(argparse.Action):
            def __init__(self, option_strings, dest, nargs=0, **kwargs):
                super().__init__(option_strings, dest, nargs=nargs, **kwargs)
            def __call__(self, parser, namespace, values, option_string=None):
                raise ValueError("use --new")
        class DeprecatedAlias(argparse.Action):
            def __init__(self, option_strings, dest, new_flag=None, **kwargs):
                super().__init__(option_strings, dest, **kwargs)
            def __call__(self, parser, namespace, values, option_string=None):
                setattr(namespace, self.dest, values)
        def build(parser):
            parser.add_argument("--gone", action=Gone)
            parser.add_argument("--old", action=DeprecatedAlias, new_flag="--new", type=int)
            parser.add_argument("--worn", help="[Deprecated] do not use")
    """,
    )
    assert flags["--gone"] == {"type": "bool", "nargs": 0, "refused": True}
    assert flags["--old"] == {"type": "int", "deprecated": True, "use": "--new"}
    assert flags["--worn"] == {"type": "str", "deprecated": True}


def test_recursion_and_loops_end(tmp_path):
    interp = interpreter(
        write(
            tmp_path,
            {
                "toy/args.py": """
        import other
        A = B
        B = A
        def forever(n):
            return forever(n) or forever(n)
        def perhaps(n):
            if other.thing(n):
                perhaps(n)
                perhaps(n)
            return 1
        def numbers():
            total = 0
            for n in range(10):
                if n == 3:
                    continue
                if n == 6:
                    break
                total += n
            return total
    """
            },
        )
    )
    assert is_unknown(interp.module_name("toy.args", "A"))
    assert is_unknown(interp.call(interp.module_name("toy.args", "forever"), [1], {}))
    assert interp.call(interp.module_name("toy.args", "perhaps"), [1], {}) == 1
    assert interp.call(interp.module_name("toy.args", "numbers"), [], {}) == 0 + 1 + 2 + 4 + 5


TYPED = """
    import argparse
    from dataclasses import MISSING, dataclass, field, fields
    from typing import Annotated, List, Literal, Optional, get_args, get_origin, get_type_hints

    class Arg:
        def __init__(self, help="", choices=None, name=None, skip=False):
            self.choices = choices
            self.name = name
            self.skip = skip

    COLOURS = ["red", "blue"]

    @dataclass
    class Base:
        depth: Annotated[int, "depth"] = 3

    @dataclass
    class Options(Base):
        colour: Annotated[Optional[str], Arg(choices=COLOURS)] = None
        grade: Annotated[Literal["low", "high"], "grade"] = "low"
        tags: Annotated[List[str], "tags"] = field(default_factory=lambda: ["x"])
        inner: Annotated[str, Arg(skip=True)] = "no"
        size: Annotated[int, Arg(name="--length")] = 7
        plain: int = 1

    COLOURS.append("green")

    def build(parser):
        hints = get_type_hints(Options, include_extras=True)
        for item in fields(Options):
            kind = hints[item.name]
            if get_origin(kind) is not Annotated:
                continue
            inner, meta = get_args(kind)[0], get_args(kind)[1]
            arg = meta if isinstance(meta, Arg) else Arg(help=meta)
            if arg.skip:
                continue
            name = arg.name or "--" + item.name.replace("_", "-")
            default = item.default if item.default is not MISSING else item.default_factory()
            kwargs = {"default": default}
            if get_origin(inner) is Literal:
                kwargs["choices"] = list(get_args(inner))
            elif get_origin(inner) is list:
                kwargs["nargs"] = "*"
            elif inner is int:
                kwargs["type"] = int
            if arg.choices:
                kwargs["choices"] = arg.choices
            parser.add_argument(name, **kwargs)
"""


def test_flags_from_annotated_fields(tmp_path):
    flags = flags_of(tmp_path, TYPED)
    assert list(flags) == ["--depth", "--colour", "--grade", "--tags", "--length"]
    assert flags["--depth"] == {"type": "int", "default": 3}
    assert flags["--colour"]["choices"] == ["blue", "green", "red"]
    assert flags["--grade"]["choices"] == ["high", "low"] and flags["--grade"]["default"] == "low"
    assert flags["--tags"] == {"type": "list", "item": "str", "nargs": "*", "default": ["x"]}
    assert flags["--length"] == {"type": "int", "default": 7}


def test_server_args_reader(tmp_path):
    write(
        tmp_path,
        {
            "toy/server.py": """
        import dataclasses
        @dataclasses.dataclass
        class ServerArgs:
            port: int = 80
            @staticmethod
            def add_cli_args(parser):
                parser.add_argument("--port", type=int, default=ServerArgs.port)
    """
        },
    )
    assert read_server_args("toy.server")(tmp_path).flags == {
        "--port": {"type": "int", "default": 80}
    }
    with pytest.raises(ReadError, match="not a function"):
        read_server_args("toy.elsewhere")(tmp_path)
