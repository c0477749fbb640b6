"""`repeg simulate`: one trading day through the deployed stack, as a tape and a summary."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from repeg_workbench.engine.placeholders import in_place_of


class _Sampler:
    """Samples no trace: the functions are deployed with tracing disabled."""

    def should_trace(self, *_: object) -> bool:
        """Never."""
        return False


_sampler = ModuleType("aws_xray_sdk.core.sampling.sampler")
_sampler.DefaultSampler = _Sampler  # type: ignore[attr-defined]  # a module of its own

# Outside Lambda the X-Ray SDK makes two clients of its daemon when it is imported, which takes a fifth of a second.
with in_place_of({_sampler.__name__: _sampler}):
    import_module("repeg.wiring")
