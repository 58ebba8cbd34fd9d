"""Messages are what `raise` and `assert` say, with the condition that they stand under."""

from __future__ import annotations

import textwrap
from pathlib import Path

from extract_messages import cli, document
from extract_messages.read import Message, read

from extractors.tests.extract_support import write


def of(source: str) -> list[Message]:
    return read(textwrap.dedent(source))


def test_texts_of_every_form_become_format_strings() -> None:
    found = of("""
        def check(self, x):
            if self.kv_dtype not in KNOWN:
                raise ValueError(f"the type {self.kv_dtype!r} is {{not}} known here")
            elif x > 3:
                raise errors.TooMany("%d of them are too many, %s" % (x, y))
            assert x % 2 == 0, "an even number is wanted: {}".format(x)
            why = f"it cannot be done with {x} of them"
            raise RuntimeError(why + ", at all")
            raise TypeError(why)
            raise ValueError("short")
            raise
    """)
    assert [(m.text, m.kind) for m in found] == [
        ("the type {} is {{not}} known here", "ValueError"),
        ("{} of them are too many, {}", "TooMany"),
        ("an even number is wanted: {}", "AssertionError"),
        ("it cannot be done with {} of them, at all", "RuntimeError"),
        ("it cannot be done with {} of them", "TypeError"),
    ]
    assert [m.when for m in found[:3]] == [
        "self.kv_dtype not in KNOWN",
        "x > 3",
        "not x % 2 == 0",
    ]
    assert found[0].place == "check"
    assert "kv_dtype" in found[0].names


def test_what_does_not_parse_says_nothing() -> None:
    assert of("def (:") == []


def test_a_release_is_read_with_the_flags_behind_each_message(tmp_path: Path) -> None:
    write(
        tmp_path / "0.1",
        {
            "vllm/config/cache.py": """
                class CacheConfig:
                    def verify(self):
                        if self.cache_dtype == "x":
                            raise ValueError("this kind of cache is not known here")
            """,
            "vllm/engine/arg_utils.py": """
                def create(self):
                    return CacheConfig(cache_dtype=self.kv_cache_dtype)
            """,
            "vllm/benchmarks/b.py": """
                def init():
                    raise ValueError("this is said by no server at all")
            """,
        },
    )
    catalog = tmp_path / "catalog"
    folder = catalog / "engines" / "vllm"
    folder.mkdir(parents=True)
    (folder / "surface.json").write_text(
        '{"flags": {"--kv-cache-dtype": [{"since": "0.1"}]}}', encoding="utf-8"
    )
    reading = cli.read_one("vllm", "0.1", tmp_path / "0.1", catalog)
    ((path, message, arguments),) = reading.values()
    assert (path, message.place) == ("vllm/config/cache.py", "CacheConfig.verify")
    assert arguments == ["--kv-cache-dtype"]


def test_messages_are_merged_with_the_releases_that_say_them() -> None:
    def reading(*texts: str) -> document.Reading:
        return {t: ("p.py", Message(t, "ValueError", "f", "", ()), []) for t in texts}

    made = document.build(
        "e",
        {"log": {"arguments": ["args: {"]}},
        {"0.1": reading("old words", "both"), "0.2": reading("both"), "0.10": reading("both")},
    )
    assert made["log"] == {"arguments": ["args: {"]}
    assert made["releases"] == ["0.1", "0.2", "0.10"]
    rows = {row[0]: tuple(row[5:]) for row in made["messages"]}
    assert rows == {"old words": ("0.1", "0.2"), "both": ("0.1", "")}
    assert document.render(made) == document.render(made)


def test_problems_that_are_collected_are_said_where_they_are_raised() -> None:
    found = of("""
        def validate(self):
            problems = []
            if self.r > most:
                problems.append(f"the rank {self.r} is greater than {most} of them")
            others.append("this text is never raised by anybody")
            if problems:
                raise ValueError(" ".join(problems))
    """)
    assert [(m.text, m.when) for m in found] == [
        ("the rank {} is greater than {} of them", "self.r > most"),
    ]


def test_an_assertion_without_words_is_what_it_asserts() -> None:
    (found,) = of("""
        def forward(self):
            assert not args().disable_chunked_cache
    """)
    assert found.text == "assert not args().disable_chunked_cache"
    assert "disable_chunked_cache" in found.names


def test_assertions_count_that_look_at_an_argument_or_have_many_words(tmp_path: Path) -> None:
    long = "this many words about something that no user of it gives at all are known by"
    source = f"""
        def init(self):
            assert not args().kv_cache_dtype
            assert self.one == self.other
            assert x, "{long}"
            assert y, "too few words of it"
            assert z, "num_keys={{z}} must divide"
    """
    write(tmp_path / "0.1", {"vllm/worker/w.py": source})
    folder = tmp_path / "catalog" / "engines" / "vllm"
    folder.mkdir(parents=True)
    (folder / "surface.json").write_text(
        '{"flags": {"--kv-cache-dtype": [{"since": "0.1"}],'
        ' "--of-keys": [{"since": "0.1", "keys": ["num_keys"]}]}}',
        encoding="utf-8",
    )
    reading = cli.read_one("vllm", "0.1", tmp_path / "0.1", tmp_path / "catalog")
    assert {text: arguments for text, (_, _, arguments) in reading.items()} == {
        "assert not args().kv_cache_dtype": ["--kv-cache-dtype"],
        long: [],
        "num_keys={z} must divide".replace("{z}", "{{z}}"): ["--of-keys"],
    }
