"""The mappings of a file of data, each with what stands around it."""

from __future__ import annotations

import re

from .container_words import environment_of
from .workflows import rows_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

__all__: list[str] = []

_IMAGE = re.compile(r"(?:docker:)?[\w.-]+(?::\d+)?/[^\s:]+(?::\S+)?")
_SHELL_OF_CELL = re.compile(r"^[ \t]*!(?=[\w./])", re.MULTILINE)
_OF_WORKFLOWS = ("jobs", "steps", "runs-on")  # what env beside these is set for


class Ground:
    """What a mapping stands in.

    Attributes:
        image: that its scripts run in; None when nothing names one.
        service: whether it is a service of a compose file.
        before: commands of the steps before it, on one line.
        variables: set for everything in what it stands in.
        matrix: rows of values that the steps of a job are run with.
    """

    __slots__ = ("before", "image", "matrix", "service", "variables")

    def __init__(self) -> None:
        self.image: str | None = None
        self.service = False
        self.before = ""
        self.variables: dict[str, str] = {}
        self.matrix: list[dict[str, str]] = []

    def inside(self, item: dict[str, Any]) -> Ground:
        """What stands around everything in a mapping that stands here."""
        out = Ground()
        out.image = _image_of_scripts(item) or self.image
        out.before, out.variables, out.service = self.before, self.variables, self.service
        out.matrix = rows_of(item["strategy"]) if "strategy" in item else self.matrix
        if any(key in item for key in _OF_WORKFLOWS):
            out.variables = {**self.variables, **environment_of(item.get("env"))}
        return out

    def but(self, *, service: bool = False, before: str | None = None) -> Ground:
        """The same, for something of what stands here."""
        out = Ground()
        out.image, out.variables, out.service = self.image, self.variables, service
        out.matrix = self.matrix
        out.before = self.before if before is None else before
        return out


def mappings(documents: list[Any]) -> Iterator[tuple[dict[str, Any], Ground]]:
    """Every mapping, outer ones first, in the order of the file; none of them twice.

    Args:
        documents: what a file of data holds.

    Yields:
        tuple[dict[str, Any], Ground]: a mapping, and what it stands in.

    Example:
        >>> found = mappings([{"services": {"a": {"image": "b/c"}}}])
        >>> [ground.service for _, ground in found]
        [False, True]
    """
    seen: set[int] = set()
    open_: list[tuple[Any, Ground]] = [(document, Ground()) for document in reversed(documents)]
    while open_:
        item, ground = open_.pop()
        if id(item) in seen:
            continue
        if isinstance(item, dict):
            seen.add(id(item))
            ground = ground.inside(item)
            yield item, ground
            open_ += reversed(list(_values(item, ground)))
        elif isinstance(item, list):
            seen.add(id(item))
            open_ += reversed(list(_steps(item, ground)))


def script_of(item: dict[str, Any], key: str) -> str:
    """A text of a mapping as a script: of a cell of a notebook the lines for a shell are plain.

    Args:
        item: the mapping.
        key: of the text, or of its lines.

    Returns:
        str: empty when it is none.

    Example:
        >>> script_of({"cell_type": "code", "source": ["!vllm serve m"]}, "source")
        'vllm serve m'
    """
    value = item.get(key)
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        value = "\n".join(line.rstrip("\n") for line in value)
    if not isinstance(value, str):
        return ""
    return _SHELL_OF_CELL.sub("", value) if "cell_type" in item else value


def _values(item: dict[str, Any], ground: Ground) -> Iterator[tuple[Any, Ground]]:
    """What stands in a mapping: services are told, and what a compose file keeps to build them."""
    services = item.get("services")
    if not isinstance(services, dict):
        for value in item.values():
            yield value, ground.but()
        return
    for key, value in item.items():
        if key == "services":
            for service in services.values():
                yield service, ground.but(service=True)
        elif not str(key).startswith("x-"):
            yield value, ground.but()


def _steps(items: list[Any], ground: Ground) -> Iterator[tuple[Any, Ground]]:
    """What stands in a list: a step knows what those before it set and install."""
    before = None
    for item in items:
        told = None if before is None else ground.before + before.text()
        yield item, ground.but(service=ground.service, before=told)
        for key in ("run", "source"):
            text = script_of(item, key) if isinstance(item, dict) and key in item else ""
            if text:
                if before is None:
                    from .markdown import Prelude

                    before = Prelude()
                before.add(text)


def _image_of_scripts(item: dict[str, Any]) -> str | None:
    """The image that the scripts of a mapping run in, as dstack, SkyPilot and workflows name it."""
    resources, container = item.get("resources"), item.get("container")
    places = [
        item.get("image"),
        resources.get("image_id") if isinstance(resources, dict) else None,
        container.get("image") if isinstance(container, dict) else container,
    ]
    for image in places:
        if isinstance(image, str) and _IMAGE.fullmatch(image):
            return image.partition("docker:")[2] or image
    return None
