"""What every result has in common: it is described once, by the annotations of its class.

From them come its constructor, comparison, copies, pickles, `repr` and plain data, and, in
`schema`, the JSON Schema of what the command prints. No result can be changed; `replace` makes
another one. The module does what `dataclasses` does, which imports more than a whole mapping takes.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar, TypeVar

    from typing_extensions import dataclass_transform

    from .words import Catalog

    Same = TypeVar("Same", bound="Result")
else:

    def dataclass_transform(**_options):
        """Tell a type checker that a class has a constructor of its fields; nothing at run time."""
        return lambda made: made


__all__ = ["Answer", "Described", "Keyed", "Result", "fresh", "plain"]


class _Fresh:
    """A default that each result gets a new one of."""

    def __init__(self, kind: type) -> None:
        self.kind = kind


def fresh(kind: type) -> Any:
    """The default of a field that is a list or a dict: a new empty one each time.

    Args:
        kind: ``list`` or ``dict``.

    Returns:
        Any: what stands for it in the class.

    Example:
        >>> from quantmap.result import Result, fresh
        >>> class Found(Result):
        ...     names: list = fresh(list)
        >>> Found()
        Found([])
    """
    return _Fresh(kind)


class ResultType(type):
    """Makes a result's class from its annotations: slots, and a constructor with defaults."""

    def __new__(
        mcs, name: str, bases: tuple[type, ...], space: dict[str, Any], **options: Any
    ) -> ResultType:
        """A class whose fields are its annotated names; one with an underscore is no field."""
        own = tuple(space.get("__annotations__", {})) if options.pop("described", True) else ()
        defaults = {field: space.pop(field) for field in own if field in space}
        made = super().__new__(mcs, name, bases, {**space, "__slots__": own}, **options)
        fields = tuple(field for field in own if field[0] != "_")
        made.__match_args__ = fields  # type: ignore[attr-defined,misc]
        if fields:
            scope: dict[str, Any] = {"put": object.__setattr__}
            parameters, body = [], []
            for field in fields:
                default, value = defaults.get(field), field
                if isinstance(default, _Fresh):
                    value = f"{default.kind.__name__}() if {field} is None else {field}"
                    default = None
                parameters.append(f"{field}={default!r}" if field in defaults else field)
                body.append(f"    put(self, {field!r}, {value})")
            exec("\n".join([f"def __init__(self, {', '.join(parameters)}):", *body]), scope)
            made.__init__ = scope["__init__"]  # type: ignore[misc]
            made.__init__.__qualname__ = f"{name}.__init__"  # type: ignore[misc]
        return made


class Described:
    """What the annotations of its class describe: its plain data, and the schema of that.

    A name with an underscore in front is not in the data.
    """

    __slots__ = ()
    _kept: ClassVar[tuple[str, ...]] = ()  # the fields that are not in the plain data
    _also: ClassVar[tuple[str, ...]] = ()  # properties and methods that are
    _least: ClassVar[tuple[tuple[str, int], ...]] = ()  # how many items a list holds at least
    _names: ClassVar[
        tuple[tuple[str, str], ...]
    ] = ()  # what JSON calls a field, where Python cannot

    @classmethod
    def printed(cls) -> dict[str, str]:
        """What `to_dict` gives: each name, and the annotation of its values.

        Returns:
            dict: annotations as they are written, in the order of the data.
        """
        out: dict[str, str] = {}
        for kind in reversed(cls.__mro__):
            for name, annotation in kind.__dict__.get("__annotations__", {}).items():
                if name[0] != "_" and name not in cls._kept:
                    out[dict(cls._names).get(name, name)] = annotation
        for name in cls._also:
            found = getattr(cls, name)
            out[name] = getattr(found, "fget", found).__annotations__["return"]
        return out

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for JSON.

        Returns:
            dict: the attributes by name.
        """
        out = {}
        for name in self.printed():
            value = getattr(self, name)
            out[name] = plain(value() if name in self._also and callable(value) else value)
        return out


@dataclass_transform(frozen_default=True)
class Result(Described, metaclass=ResultType, described=False):
    """The base of results.

    Two are equal when they are of one class and all their fields are. They can be copied and sent
    to another process.
    """

    if TYPE_CHECKING:
        __match_args__: ClassVar[tuple[str, ...]]
    _shown: ClassVar[tuple[str, ...]] = ()  # the fields that `repr` shows; none means all

    @classmethod
    def of(cls: type[Same], data: dict[str, Any]) -> Same:
        """A result from plain data that may hold more.

        Args:
            data: the fields by name.

        Returns:
            Result: it.
        """
        return cls(**{field: data[field] for field in cls.__match_args__})

    def replace(self: Same, **changes: Any) -> Same:
        """The same result with other values.

        Args:
            changes: fields and their new values.

        Returns:
            Result: a new one; this one stays as it is.
        """
        values = {field: getattr(self, field) for field in self.__match_args__}
        made = type(self)(**{**values, **changes})
        for name in type(self).__dict__["__slots__"]:  # what stands beside the fields stays
            if name[0] == "_" and hasattr(self, name):
                object.__setattr__(made, name, getattr(self, name))
        return made

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for JSON.

        Returns:
            dict: the attributes by name.
        """
        fields = [name for name in self.__match_args__ if name not in self._kept]
        names = dict(self._names)
        out = {names.get(name, name): plain(getattr(self, name)) for name in fields}
        for name in self._also:
            value = getattr(self, name)
            out[name] = plain(value() if callable(value) else value)
        return out

    def _values(self) -> tuple[Any, ...]:
        return tuple(getattr(self, field) for field in self.__match_args__)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a {type(self).__name__} cannot be changed: use replace({name}=...)")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a {type(self).__name__} cannot be changed")

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return self._values() == other._values()

    def __hash__(self) -> int:
        plain = (value for value in self._values() if isinstance(value, (str, int, type(None))))
        return hash((type(self), *plain))

    def __repr__(self) -> str:
        fields = ", ".join(
            repr(getattr(self, field)) for field in self._shown or self.__match_args__
        )
        return f"{type(self).__name__}({fields})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self._values()


class Keyed(Result, described=False):
    """A result whose fields can also be read by name, as of the dict that it used to be."""

    def __getitem__(self, name: str) -> Any:
        fields = {field: field for field in (*self.__match_args__, *self._also)}
        for field, printed in self._names:
            fields[printed] = fields.pop(field)
        return getattr(self, fields[name])


class Answer(Result, described=False):
    """A result that a verb prints: its plain data tells the tables behind it."""

    _also: ClassVar[tuple[str, ...]] = ("catalog",)

    @property
    def catalog(self) -> Catalog:
        """``version`` and ``hash`` of the catalogue that answered."""
        from . import _core

        return {"version": _core.catalog_version, "hash": _core.catalog_hash}


def plain(value: Any) -> Any:
    """A value of a result as plain data: what it holds of other results, too.

    Args:
        value: whatever stands in a field.

    Returns:
        Any: the same of dicts, lists, texts and numbers.

    Example:
        >>> from quantmap.errors import Unseen
        >>> from quantmap.result import plain
        >>> plain([Unseen("kernels", "gpu")])
        [{'what': 'kernels', 'give': 'gpu'}]
    """
    if isinstance(value, Described):
        return value.to_dict()
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value
