"""Publishing what an operator must look at."""

from __future__ import annotations

from collections.abc import Sequence

from repeg.domain.run_health import Alert
from repeg.ports import Ports


def publish_alerts(alerts: Sequence[Alert], ports: Ports) -> list[Alert]:
    """Publish each alert under its finding, at least once; returns them."""
    for alert in alerts:
        ports.notifier.publish(f"repeg.watch.{alert.finding}", alert.model_dump(mode="json"))
    return list(alerts)
