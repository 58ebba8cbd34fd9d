"""extract_surface: bounds, closed keys, variables by name, and a second group of arguments."""

from __future__ import annotations

from pathlib import Path

from extract_surface import sglang, start_up_bounds, vllm_config
from extract_surface.readers import Surface, read_server_args

ARGUMENTS = """
def add_cli_args(parser):
    cache = get_kwargs(CacheConfig)
    group.add_argument("--gpu-memory", "-g", **cache["gpu_memory"])
    group.add_argument("--other", **cache["other"])
    group.add_argument("--count", **{**cache["count"], "default": None})
    group.add_argument("--mode", type=int)
"""
CONFIG = """
class CacheConfig:
    gpu_memory: float = Field(default=0.9, gt=0, le=1)
    other: int = 3
    count: int = Field(ge=1)
class Draft:
    other: int = Field(ge=1)
"""


def write(folder: Path, files: dict[str, str]) -> None:
    """Put files below a folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def test_bounds_are_those_of_the_class_that_gets_the_value(tmp_path: Path) -> None:
    write(tmp_path, {"vllm/engine/arg_utils.py": ARGUMENTS, "vllm/config/cache.py": CONFIG})
    flags: dict[str, dict[str, object]] = {
        "--gpu-memory": {"type": "float"},
        "--other": {"type": "int"},
        "--count": {"type": "int"},
        "--config": {"type": "json", "keys": ["a"]},
    }
    vllm_config.add_limits(flags, tmp_path)
    assert flags["--gpu-memory"]["bounds"] == {"gt": 0, "le": 1}
    assert flags["--count"]["bounds"] == {"ge": 1}
    assert "bounds" not in flags["--other"] and "closed" not in flags["--config"]
    write(tmp_path, {"vllm/config/utils.py": 'config = ConfigDict(extra="forbid")'})
    vllm_config.add_limits(flags, tmp_path)
    assert flags["--config"]["closed"] is True


def test_successors_are_those_that_a_warning_names(tmp_path: Path) -> None:
    source = 'warn("`old_flag` is deprecated and has been replaced "\n    "with `new_flag.part`.")'
    write(tmp_path, {"vllm/engine/arg_utils.py": source})
    flags: dict[str, dict[str, object]] = {"--old-flag": {"type": "int"}}
    vllm_config.add_successors(flags, tmp_path)
    assert "use" not in flags["--old-flag"]
    flags["--new-flag"] = {"type": "json"}
    vllm_config.add_successors(flags, tmp_path)
    assert flags["--old-flag"]["use"] == "--new-flag.part"


SERVER = """
class ServerArgs:
    @staticmethod
    def add_cli_args(parser):
        parser.add_argument("--port", type=int)
"""


def test_variables_by_name_and_a_second_group(tmp_path: Path) -> None:
    more = SERVER.replace("ServerArgs", "More").replace("--port", "--width")
    write(tmp_path, {"toy/server.py": SERVER, "toy/more.py": more, "toy/e.py": 'x("TOY_A", TOY_B)'})
    read = read_server_args("toy.server")
    assert sglang.with_variables(read, "toy", ("TOY_",))(tmp_path).env == ["TOY_A", "TOY_B"]
    found = sglang.with_more(read_server_args("toy.server"), "toy.more", "More.add_cli_args")
    assert set(found(tmp_path).flags) == {"--port", "--width"}
    none = sglang.with_more(read_server_args("toy.server"), "toy.none", "More.add_cli_args")
    assert set(none(tmp_path).flags) == {"--port"}


CHECKS = """
class ServerArgs:
    def __post_init__(self):
        if self.model_path == "dummy":
            return
        self.handle_rest()
        if self.lora:
            self.handle_lora()
    def handle_rest(self):
        if self.seconds is not None and self.seconds <= 0:
            raise ValueError("seconds must be positive")
        if not 0 < self.share <= 1 or self.late < 1:
            raise ValueError
        run_hook(of_hook, self)
    def handle_lora(self):
        assert self.rank > 0
    def check_server_args(self):
        assert self.step >= 1 and 2**4 > self.step, "step"
        assert self.batch is None or self.batch >= 1
        assert self.twice >= 1
        if self.quiet:
            return
        assert self.port > 0
"""
HOOK = """
def of_hook(server_args):
    cfg = view(server_args)
    assert cfg.hooked >= -1
    if cfg.on:
        assert cfg.other > 0
"""


def test_bounds_are_those_that_every_start_checks(tmp_path: Path) -> None:
    write(tmp_path, {"toy/server_args.py": CHECKS, "toy/arg_groups/some_hook.py": HOOK})
    names = [
        "seconds",
        "share",
        "late",
        "rank",
        "step",
        "batch",
        "twice",
        "port",
        "hooked",
        "other",
    ]
    flags: dict[str, dict[str, object]] = {f"--{name}": {"type": "int"} for name in names}
    flags["--twice"]["default"] = 0  # the check cannot be about the value as given
    flags["--stride"] = {**flags.pop("--step"), "aliases": ["--step"]}
    surface = Surface(flags=flags)
    start_up_bounds.add_bounds(surface, tmp_path, "toy/server_args.py")
    assert {flag: row["bounds"] for flag, row in flags.items() if "bounds" in row} == {
        "--seconds": {"gt": 0},
        "--share": {"gt": 0, "le": 1},
        "--late": {"ge": 1},
        "--stride": {"ge": 1, "lt": 16},
        "--batch": {"ge": 1},
        "--hooked": {"ge": -1},
    }
