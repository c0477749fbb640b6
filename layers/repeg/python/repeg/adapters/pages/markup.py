"""HTML, put together so that whatever is not markup is escaped."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

_VOID = frozenset({"input", "meta"})


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


Child = str | Iterable[Html]
"""Text, which is escaped unless it is Html, or several pieces of markup."""


def tag(name: str, /, *children: Child, **attributes: str | None) -> Html:
    """An element. `class_` and `for_` are the attributes without the underscore, other underscores are hyphens; an
    attribute of None is left out."""
    given = "".join(f' {_named(key)}="{escape(value)}"' for key, value in attributes.items() if value is not None)
    if name in _VOID:
        return Html(f"<{name}{given}>")
    return Html(f"<{name}{given}>{joined(*children)}</{name}>")


def joined(*children: Child) -> Html:
    """Pieces of a page, one after the other."""
    return Html("".join(_text(child) if isinstance(child, str) else "".join(child) for child in children))


def _text(text: str) -> str:
    return text if isinstance(text, Html) else escape(text)


def _named(key: str) -> str:
    return key.rstrip("_").replace("_", "-")
