"""Where the deployed files are: in the repository, or, in an installed package, the copies that the wheel carries."""

from __future__ import annotations

from pathlib import Path

_CARRIED = Path(__file__).with_name("deployed")
ROOT = _CARRIED if _CARRIED.is_dir() else Path(__file__).parents[1]
"""The folder of template.yaml, the functions, the definition of the state machine, and the layers."""
