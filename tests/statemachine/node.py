"""Node, and the npm packages that `make test` installs for it."""

from __future__ import annotations

import shutil

from tests.template.stack import ROOT

NODE_FOLDER = ROOT / ".node"
PINS = ROOT / "requirements" / "node"


def node() -> str:
    """The path of Node. Raises AssertionError where there is none."""
    found = shutil.which("node")
    assert found is not None, missing()
    return found


def missing() -> str:
    """Why nothing can be run in Node on this machine; empty if it can."""
    if shutil.which("node") is None:
        return "there is no Node: install version 20 or newer and run `make test`"
    if not (NODE_FOLDER / "node_modules").is_dir():
        return "there are no npm packages in .node: `make test` installs them"
    return ""
