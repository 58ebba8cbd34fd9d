"""The readers know where an engine keeps its parser."""

from __future__ import annotations

import pytest
from extract_surface import tensorrt_llm, vllm
from extract_surface.click_reader import read_command
from extract_surface.readers import ReadError, interpreter

from extractors.tests.extract_support import write

TOY_VLLM = {
    "vllm/entrypoints/cli/serve.py": """
        from vllm.entrypoints.openai.cli_args import make_arg_parser
        class ServeSubcommand:
            def subparser_init(self, subparsers):
                serve = subparsers.add_parser("serve", help="x")
                serve.add_argument("model_tag", nargs="?")
                return make_arg_parser(serve)
    """,
    "vllm/entrypoints/openai/cli_args.py": """
        from vllm.config import Attention as AttentionConfig
        def make_arg_parser(parser):
            parser.add_argument("--quantization", "-q")
            parser.add_argument("--attention-backend")
            parser.add_argument("--allow-deprecated-quantization", action="store_true")
            return parser
    """,
    "vllm/config.py": """
        from dataclasses import dataclass
        from enum import Enum
        class Backend(Enum):
            ALPHA = "a.b"
            BETA = "c.d"
        @dataclass
        class AttentionConfig:
            backend: Backend | None = None
            @field_validator("backend")
            def check(cls, value):
                "docs"
                return None if value == "auto" else Backend[value.upper()]
    """,
    "vllm/model_executor/layers/quantization/__init__.py": """
        from typing import Literal, get_args
        Methods = Literal["m8", "m4"]
        QUANTIZATION_METHODS = list(get_args(Methods))
        DEPRECATED_QUANTIZATION_METHODS = ["m4"]
    """,
    "vllm/envs.py": """
        import os
        environment_variables = {"VLLM_B": lambda: os.getenv("VLLM_B"), "VLLM_A": lambda: 1}
    """,
    "vllm/utils/argparse_utils.py": """
        class FlexibleArgumentParser:
            def parse_args(self, args):
                nested_dict = {}
                return [a.replace("_", "-") for a in args]
    """,
}


def test_vllm_reader_adds_what_is_checked_at_start(tmp_path):
    surface = vllm.read(write(tmp_path, TOY_VLLM))
    assert surface.flags["--quantization"] == {
        "aliases": ["-q"],
        "type": "str",
        "choices": ["m4", "m8"],
        "checked": "startup",
        "deprecated_choices": ["m4"],
    }
    assert surface.flags["--attention-backend"] == {
        "type": "str",
        "choices": ["ALPHA", "BETA", "auto"],
        "checked": "startup",
        "any_case": True,
    }
    assert surface.env == ["VLLM_A", "VLLM_B"]
    assert surface.spelling == ["underscore", "dotted"]
    assert "model_tag" in surface.flags


def test_vllm_reader_finds_registered_parsers_and_opposite_spellings(tmp_path):
    files = dict(TOY_VLLM)
    files["vllm/entrypoints/openai/cli_args.py"] = """
        import argparse
        from vllm.reasoning import Manager
        def make_arg_parser(parser):
            parser.add_argument("--reasoning-parser", choices=list(Manager.parsers))
            parser.add_argument("--enable-x", "-x", action=argparse.BooleanOptionalAction)
            return parser
    """
    files["vllm/reasoning/__init__.py"] = """
        class Manager:
            parsers = {}
    """
    files["vllm/reasoning/toy.py"] = """
        from vllm.reasoning import Manager
        @Manager.register_module(["one", "two"])
        class Toy:
            pass
    """
    files["vllm/utils/argparse_utils.py"] += """
        import argparse
        class EnableDisableAction(argparse.BooleanOptionalAction):
            _inverse_prefixes = {"--enable-": "--disable-", "--disable-": "--enable-"}
    """
    flags = vllm.read(write(tmp_path, files)).flags
    assert flags["--reasoning-parser"]["choices"] == ["one", "two"]
    assert flags["--enable-x"] == {
        "aliases": ["-x", "--no-enable-x", "--disable-x"],
        "off": ["--disable-x"],
        "type": "bool",
        "nargs": 0,
    }


def test_vllm_reader_says_when_there_is_no_parser(tmp_path):
    with pytest.raises(ReadError, match="no parser"):
        vllm.read(write(tmp_path, {"vllm/other.py": "x = 1"}))


def test_click_options(tmp_path):
    write(
        tmp_path,
        {
            "toy/serve.py": """
        import click
        LEVELS = {"low": 1, "high": 2}
        @click.command("serve")
        @click.argument("model", type=str)
        @click.option("--tp_size", "--tensor_parallel_size", type=int, default=1)
        @click.option("--level", type=click.Choice(LEVELS.keys()), default="low")
        @click.option("--kind", type=AliasChoice(["a", "b"], {"c": "a"}))
        @click.option("--trust", is_flag=True, default=False)
        @click.option("--dirs", type=click.Path(exists=True), multiple=True)
        @click.option("--size", type=int, default=Config.size)
        def serve(**kwargs):
            pass
    """
        },
    )
    flags = read_command(interpreter(tmp_path), "toy.serve", "serve")
    assert flags["model"] == {"positional": True, "type": "str"}
    assert flags["--tp_size"] == {
        "aliases": ["--tensor_parallel_size"],
        "type": "int",
        "default": 1,
    }
    assert flags["--level"]["choices"] == ["high", "low"]
    assert flags["--kind"]["choices"] == ["a", "b", "c"]
    assert flags["--trust"] == {"type": "bool", "nargs": 0, "default": False}
    assert flags["--dirs"] == {"type": "str", "repeat": True}
    assert flags["--size"]["default"] == {"unknown": True}
    with pytest.raises(LookupError):
        read_command(interpreter(tmp_path), "toy.serve", "absent")


def test_facts_hold_until_the_next_state():
    facts = {
        "never": ["--x"],
        "states": [
            {"since": "1.0", "whole": False, "evidence": "page", "flags": {"--a": {"type": "int"}}},
            {
                "since": "2.0rc1",
                "whole": True,
                "evidence": "file",
                "flags": {"--b": {"type": "str"}},
            },
        ],
    }
    assert list(tensorrt_llm.from_facts(facts, "1.9").flags) == ["--a"]
    assert tensorrt_llm.from_facts(facts, "2.0").provenance["evidence"] == "file"
    with pytest.raises(ReadError, match="no facts"):
        tensorrt_llm.from_facts(facts, "0.9")
