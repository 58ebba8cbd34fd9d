"""Every public function and class says what it takes, gives and raises; every example is true."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
import quantmap

# Every module that offers something; a new one is covered from its first day.
MODULES = [
    "quantmap",
    *sorted(
        found.name
        for found in pkgutil.iter_modules(quantmap.__path__)
        if not found.ispkg
        and found.name not in ("__main__", "_core")
        and hasattr(importlib.import_module(f"quantmap.{found.name}"), "__all__")
    ),
]
# "see `other`": the rest stands there.
REFERENCE = re.compile(r"(?:see |^)`(\w+)`")
SECTIONS = ("Args:", "Returns:", "Raises:", "Example:", "Attributes:")


def module(name: str) -> ModuleType:
    """A module of the package."""
    return importlib.import_module(name if name == "quantmap" else f"quantmap.{name}")


def public(name: str) -> Iterator[tuple[str, Any]]:
    """The functions and classes that a module defines and offers."""
    loaded = module(name)
    for key in loaded.__all__:
        value = getattr(loaded, key)
        if inspect.isroutine(value) or inspect.isclass(value):
            yield key, value


FUNCTIONS: dict[str, Any] = {}
CLASSES: dict[str, Any] = {}
for _name in MODULES:
    for _key, _value in public(_name):
        (CLASSES if inspect.isclass(_value) else FUNCTIONS)[_key] = _value
METHODS = {
    f"{name}.{key}": value
    for name, kind in CLASSES.items()
    for key, value in vars(kind).items()
    if inspect.isfunction(value) and not key.startswith("_")
}


def documentation(value: Any) -> str:
    """The docstring, which must exist."""
    text = inspect.getdoc(value)
    assert text, "no docstring"
    assert text.splitlines()[0].endswith((".", ":")), "the first line is no sentence"
    return text


def check_sections(text: str, signature: inspect.Signature) -> None:
    """Args for parameters, each of them; Returns unless nothing is returned."""
    names = [name for name in signature.parameters if name != "self"]
    if names:
        assert "Args:" in text
        part = text.split("Args:", 1)[1].split("Returns:", 1)[0]
        for name in names:
            assert re.search(rf"\b{name}\b.*:", part), f"{name} is not described"
    if signature.return_annotation not in (None, "None"):
        assert "Returns:" in text


def raises_config_error(function: Any) -> bool:
    """Whether some nonsense makes it raise."""
    parameters = inspect.signature(function).parameters.values()
    required = [item for item in parameters if item.default is item.empty]
    try:
        function(*[object() for _ in required])
    except quantmap.ConfigError:
        return True
    return False


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function(name: str) -> None:
    function = FUNCTIONS[name]
    text = documentation(function)
    assert "Example:" in text and ">>>" in text
    found = REFERENCE.search(text.splitlines()[0])
    if found:
        assert found[1] in FUNCTIONS and not REFERENCE.search(
            documentation(FUNCTIONS[found[1]]).splitlines()[0]
        ), "refers to what refers on"
        return
    check_sections(text, inspect.signature(function))
    assert "Raises:" in text or not raises_config_error(function)
    order = [text.index(section) for section in SECTIONS if section in text]
    assert order == sorted(order)


@pytest.mark.parametrize("name", CLASSES)
def test_class(name: str) -> None:
    kind = CLASSES[name]
    text = documentation(kind)
    slots = [slot for slot in getattr(kind, "__slots__", ()) if not slot.startswith("_")]
    for slot in slots:
        assert re.search(rf"^\s+(?:\w+, )*{slot}\b.*:", text, re.MULTILINE), f"{slot}: no words"
    if slots:
        assert "Attributes:" in text


@pytest.mark.parametrize("name", METHODS)
def test_method(name: str) -> None:
    method = METHODS[name]
    check_sections(documentation(method), inspect.signature(method))


def examples() -> list[Any]:
    """Every docstring with an example, the compiled function's too."""
    finder = doctest.DocTestFinder(exclude_empty=True)
    found = {}
    for name in MODULES:
        for test in finder.find(module(name), extraglobs={"quantmap": quantmap}):
            if test.examples:
                found[test.name] = test
    compiled = quantmap.get_runtime_args
    found["quantmap.get_runtime_args"] = doctest.DocTestParser().get_doctest(
        inspect.getdoc(compiled) or "", {compiled.__name__: compiled}, compiled.__name__, None, 0
    )
    return [pytest.param(test, id=name) for name, test in sorted(found.items())]


@pytest.mark.parametrize("test", examples())
def test_example(test: doctest.DocTest, capsys: pytest.CaptureFixture[str]) -> None:
    report: list[str] = []
    result = doctest.DocTestRunner().run(test, out=report.append, clear_globs=False)
    assert result.attempted > 0
    assert result.failed == 0, "".join(report)
    assert capsys.readouterr().err == ""


def test_every_public_name_is_reached() -> None:
    assert {"get_runtime_args", "explain", "list_diagnostics", "read_task"} <= set(FUNCTIONS)
    assert {"ConfigError", "Diagnostic", "Mapping", "Decision", "Engine"} <= set(CLASSES)
    assert set(quantmap.__all__) - set(FUNCTIONS) - set(CLASSES) == {
        "QUANTIZATION_PRESETS",
        "__version__",
    }
