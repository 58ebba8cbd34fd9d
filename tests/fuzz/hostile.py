"""Random Python objects: plausible configs with something hostile in them, and anything else.

Everything comes out of one `random.Random`, so that a seed gives the same objects again.
"""

from __future__ import annotations

import collections
import decimal
import enum
import fractions
import random
import struct
import types
from collections.abc import Callable
from typing import Any

from quantmap import Engine, _core

FIELDS = _core.fields()
PRESETS = [preset["id"] for preset in _core.presets()]
ENGINES = [engine["id"] for engine in _core.engines()]
RUNTIMES = [name for engine in _core.engines() for name in engine["runtime_names"]]
FLAGS = [flag.lstrip("-") for engine in _core.engines() for flag in engine["flags"]]
FLAGS += ["q", "tp", "-tp", "tensor-parallel-size", "expert_parallel_size", "ep"]
SECTIONS = sorted({field["section"] for field in FIELDS if field["section"]})
KEYS = sorted({field["key"] for field in FIELDS} | {"preset", "presets", "quantization_config"})
WORDS = sorted(
    {option for field in FIELDS for option in field["options"] if isinstance(option, str)}
)
LONGEST_ARGUMENT = 131071  # bytes; the operating system takes no more


class Text(str):
    """A str that is not exactly str."""


class LoudText(str):
    """A str whose methods all fail."""

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("compared")

    def __str__(self) -> str:
        raise RuntimeError("printed")

    __repr__ = __format__ = encode = lower = __str__  # type: ignore[assignment]
    __hash__ = str.__hash__


class Number(int):
    """An int that prints something else."""

    def __repr__(self) -> str:
        return "not a number\0"

    __str__ = __index__ = __repr__  # type: ignore[assignment]


class Real(float):
    """A float that prints something else."""

    def __repr__(self) -> str:
        return "nan"

    __float__ = __str__ = __repr__  # type: ignore[assignment]


class LyingDict(dict):  # type: ignore[type-arg]
    """A dict that shows other members than it has."""

    def items(self) -> Any:
        return [1, (2,), ("gemm_dtype", "fp8", 3), None]

    def keys(self) -> Any:
        return None


class RaisingDict(dict):  # type: ignore[type-arg]
    """A dict that cannot be walked or asked."""

    def items(self) -> Any:
        raise RuntimeError("walked")

    __iter__ = keys = values = items
    __getitem__ = get = __contains__ = __len__ = items  # type: ignore[assignment]


class RaisingList(list):  # type: ignore[type-arg]
    """A list that cannot be walked."""

    def __iter__(self) -> Any:
        raise RuntimeError("walked")

    __len__ = __getitem__ = __iter__  # type: ignore[assignment]


class Colour(enum.Enum):
    """An enum whose members are no texts."""

    RED = "fp8"
    TWO = 2


class Size(enum.IntEnum):
    """An enum whose members are integers."""

    TWO = 2


LOUD_KEY = LoudText("loud")  # one object only: a second one would be compared with it
Point = collections.namedtuple("Point", "gemm_dtype kvcache_dtype")

_Plain = Callable[[random.Random], Any]


def _random_float(rng: random.Random) -> float:
    return float(struct.unpack("d", rng.randbytes(8))[0])


def _random_text(rng: random.Random) -> str:
    alphabet = ("abz019-_. ", "\0\n\x1b\x7f'\"\\", "é€😀\u202e", "\ud800\udfff")
    letters = alphabet[0] + rng.choice(alphabet)
    return "".join(rng.choice(letters) for _ in range(rng.choice((0, 1, 3, 12, 90))))


def _mutated_word(rng: random.Random) -> str:
    word = list(rng.choice(WORDS + KEYS + PRESETS + FLAGS + RUNTIMES))
    for _ in range(rng.randrange(3)):
        place = rng.randrange(len(word) + 1)
        word[place : place + rng.randrange(2)] = rng.choice(("", "-", "_", "é", "a", " ", "@1"))
    return "".join(word)


def _long_text(rng: random.Random) -> str:
    letter = rng.choice("ax\0é€\ud800")
    return letter * rng.choice((61, 4097, LONGEST_ARGUMENT, LONGEST_ARGUMENT + 1))


def _integer(rng: random.Random) -> int:
    base = rng.choice((0, 1, 8, 2**31, 2**63, 2**64, 10**30, 10**4299, 10**4300, 10**6000))
    return (base + rng.randint(-1, 1)) * rng.choice((1, -1))


SCALARS: tuple[_Plain, ...] = (
    lambda rng: None,
    lambda rng: rng.random() < 0.5,
    lambda rng: rng.randint(-2, 9),
    _integer,
    lambda rng: rng.random(),
    _random_float,
    lambda rng: rng.choice((float("nan"), float("inf"), -float("inf"), -0.0, 5e-324, 1e16)),
    lambda rng: rng.choice(WORDS),
    _mutated_word,
    _mutated_word,
    _random_text,
    lambda rng: Text(_mutated_word(rng)),
    lambda rng: LoudText(_mutated_word(rng)),
    lambda rng: Number(rng.randint(-2, 9)),
    lambda rng: Real(rng.random()),
    lambda rng: rng.choice((*Engine, *Colour, *Size)),
)

ODDITIES: tuple[_Plain, ...] = (
    _long_text,
    lambda rng: rng.randbytes(rng.randrange(5)),
    lambda rng: bytearray(b"fp8"),
    lambda rng: memoryview(b"fp8"),
    lambda rng: {"fp8", 1},
    lambda rng: frozenset(("fp8",)),
    lambda rng: 1j,
    lambda rng: object(),
    lambda rng: Engine,
    lambda rng: _random_text,
    lambda rng: iter(["fp8"]),
    lambda rng: range(3),
    lambda rng: decimal.Decimal("0.5"),
    lambda rng: fractions.Fraction(1, 2),
    lambda rng: collections.UserDict(gemm_dtype="fp8"),
    lambda rng: type("é" * rng.randrange(1, 200), (), {})(),
    lambda rng: types.SimpleNamespace(gemm_dtype="fp8"),
    lambda rng: NotImplemented,
)

LISTS: tuple[Callable[[list[Any]], Any], ...] = (
    list,
    list,
    tuple,
    lambda items: Point(items, items),
    collections.deque,
    RaisingList,
)

DICTS: tuple[Callable[[dict[Any, Any]], Any], ...] = (
    dict,
    dict,
    dict,
    collections.OrderedDict,
    lambda items: collections.defaultdict(dict, items),
    types.MappingProxyType,
    lambda items: types.MappingProxyType(collections.UserDict(items)),
    LyingDict,
    lambda items: types.MappingProxyType(LyingDict(items)),
    RaisingDict,
    collections.UserDict,
)


def _key(rng: random.Random) -> Any:
    if rng.random() < 0.8:
        return rng.choice(
            (rng.choice(KEYS), rng.choice(FLAGS), _mutated_word(rng), _random_text(rng))
        )
    return rng.choice(
        (None, 1, 0.5, True, b"gemm_dtype", (), Text("gemm_dtype"), Engine.VLLM, LOUD_KEY)
    )


def _deep(rng: random.Random) -> Any:
    out: Any = rng.choice(WORDS)
    shape = rng.randrange(3)
    for level in range(rng.choice((2, 62, 63, 64, 65, 5000))):
        out = [out] if shape == 0 or (shape == 2 and level % 2) else {"quantization_config": out}
    return out


def _cycle(rng: random.Random) -> Any:
    inner: list[Any] = []
    outer = {rng.choice(KEYS): inner, "x": rng.choice(WORDS)}
    branches = (
        2 if rng.random() < 0.001 else 1
    )  # two: as many nodes as are read at all, which takes its time
    inner.extend([outer] * branches)
    return rng.choice((inner, outer))


def anything(rng: random.Random, depth: int = 0) -> Any:
    """Any object: scalars, odd types, nested containers, cycles."""
    kind = rng.random()
    if kind < 0.45 or depth > 4:
        return rng.choice(SCALARS)(rng)
    if kind < 0.55:
        return rng.choice(ODDITIES)(rng)
    if kind < 0.58:
        return rng.choice((_deep, _cycle))(rng)
    count = rng.randrange(4)
    if kind < 0.75:
        return rng.choice(LISTS)([anything(rng, depth + 1) for _ in range(count)])
    return rng.choice(DICTS)({_key(rng): anything(rng, depth + 1) for _ in range(count)})


def _fitting(rng: random.Random, field: dict[str, Any]) -> Any:
    if field["options"]:
        return rng.choice(field["options"])
    return rng.choice((True, 1, 2, 0.5, "name"))


def config(rng: random.Random) -> Any:
    """A config that could be right, with something wrong here and there."""
    if rng.random() < 0.1:
        return anything(rng)
    wrong = rng.choice((0.0, 0.0, 0.05, 0.3))
    form = rng.choice(("four_field", "unified"))
    out: dict[Any, Any] = {}
    if rng.random() < 0.25:
        out["preset"] = rng.choice(PRESETS)
    for field in FIELDS:
        if (field["form"] != form and rng.random() > wrong / 4) or rng.random() < 0.5:
            continue
        value = anything(rng) if rng.random() < wrong else _fitting(rng, field)
        place = out.setdefault(field["section"], {}) if field["section"] else out
        if isinstance(place, dict):
            place[field["key"]] = value
    if rng.random() < wrong:
        out[_key(rng)] = anything(rng)
    if rng.random() < 0.1:
        out = {"quantization_config": out}
    return out if rng.random() < 0.8 else rng.choice(DICTS)(out)


def parameters(rng: random.Random) -> Any:
    """User parameters that could be right, with something wrong here and there."""
    if rng.random() < 0.15:
        return anything(rng)
    out: dict[Any, Any] = {}
    for _ in range(rng.choice((0, 1, 2, 5, 40))):
        name = rng.choice(FLAGS)
        key = rng.choice(
            (name, "--" + name, name.replace("-", "_"), "x" + str(rng.randrange(99)), name)
        )
        out[_key(rng) if rng.random() < 0.05 else key] = (
            anything(rng) if rng.random() < 0.3 else rng.choice(SCALARS)(rng)
        )
    return out if rng.random() < 0.9 else rng.choice(DICTS)(out)


def runtime(rng: random.Random) -> Any:
    """The name of an engine, most of the time."""
    if rng.random() < 0.1:
        return anything(rng)
    name = rng.choice((rng.choice(ENGINES), rng.choice(RUNTIMES).upper(), rng.choice(list(Engine))))
    return name if rng.random() < 0.95 else Text(str(name) + "@0.1")


def model(rng: random.Random) -> Any:
    """A model's quantization, as a name, a quantization_config or nonsense."""
    name = rng.choice(
        (None, "", "awq", "GPTQ", "none", _mutated_word(rng), _random_text(rng), "a" + "é" * 40)
    )
    return rng.choice((name, name, {"quant_method": name, "bits": 4}, anything(rng)))
