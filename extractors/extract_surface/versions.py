"""Ordering of release numbers after PEP 440, as far as release lists need it.

Own code instead of ``packaging``, so that the extractor runs on a bare interpreter.
"""

from __future__ import annotations

import re

_PATTERN = re.compile(
    r"^v?(?:(?P<epoch>\d+)!)?(?P<release>\d+(?:\.\d+)*)"
    r"(?:[-_.]?(?P<pre>a|alpha|b|beta|c|rc|pre|preview)[-_.]?(?P<pre_n>\d*))?"
    r"(?:[-_.]?(?P<post>post|rev|r)[-_.]?(?P<post_n>\d*)|-(?P<post_only>\d+))?"
    r"(?:[-_.]?(?P<dev>dev)[-_.]?(?P<dev_n>\d*))?"
    r"(?:\+(?P<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?$",
    re.IGNORECASE,
)
_PRE_RANK = {"a": 0, "alpha": 0, "b": 1, "beta": 1, "c": 2, "rc": 2, "pre": 2, "preview": 2}

Key = tuple[int, tuple[int, ...], tuple[int, int], int, int]


def sort_key(version: str) -> Key:
    """Return a key that orders versions as PEP 440 does (local parts are ignored).

    Raises:
        ValueError: if ``version`` is not a version.

    Example:
        >>> sort_key("0.4.1.post2") > sort_key("0.4.1") > sort_key("0.4.1rc1")
        True
    """
    found = _PATTERN.match(version.strip())
    if not found:
        raise ValueError(f"not a version: {version!r}")
    release = [int(part) for part in found["release"].split(".")]
    while len(release) > 1 and release[-1] == 0:
        release.pop()
    is_post = bool(found["post"] or found["post_only"])
    post = int(found["post_n"] or found["post_only"] or 0) if is_post else -1
    dev = int(found["dev_n"] or 0) if found["dev"] else 10**12
    if found["pre"]:
        pre = (_PRE_RANK[found["pre"].lower()], int(found["pre_n"] or 0))
    elif found["dev"] and not is_post:
        pre = (-1, 0)
    else:
        pre = (3, 0)
    return (int(found["epoch"] or 0), tuple(release), pre, post, dev)


def kind(version: str) -> str | None:
    """Return ``final``, ``post``, ``pre`` or ``dev``; ``None`` if it is no version."""
    found = _PATTERN.match(version.strip())
    if not found:
        return None
    if found["dev"]:
        return "dev"
    if found["pre"]:
        return "pre"
    return "post" if found["post"] or found["post_only"] else "final"
