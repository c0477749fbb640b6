"""A plan as YAML. Every scalar stays a text: in YAML 1.1 the tickers ON and NO are booleans, and 0.1 is a float."""

from __future__ import annotations

from typing import Any

import yaml

from repeg.domain.errors import InvalidPlan


class _Texts(yaml.BaseLoader):
    """Makes no type but text, list and dict, refuses a name that is there twice, and no alias repeats a part."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - the library's own signature
        names = [self.construct_object(key, deep=True) for key, _ in node.value]
        for at, name in enumerate(names):
            if name in names[:at]:
                raise InvalidPlan("plan", name, "each name once")
        return super().construct_mapping(node, deep=deep)

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            alias: Any = self.peek_event()  # type: ignore[no-untyped-call]
            raise InvalidPlan("plan", f"*{alias.anchor}", "no alias: write the part out")
        return super().compose_node(parent, index)


def decoded_yaml(text: str, source: str) -> Any:
    """The document of a YAML text. Raises InvalidPlan."""
    try:
        return yaml.load(text, Loader=_Texts)  # noqa: S506 - makes texts, lists and dicts alone
    except (yaml.YAMLError, RecursionError, TypeError) as error:
        raise InvalidPlan("plan", source, f"YAML ({' '.join(str(error).split())})") from None
