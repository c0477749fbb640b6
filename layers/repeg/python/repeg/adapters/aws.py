"""How AWS is called: with timeouts, few retries, and no network settings from the environment."""

from __future__ import annotations

from botocore.config import Config

from repeg.adapters.runtime import MAX_WORKERS

# The proxies of the environment are ignored. With `verify=True` at each client, so are its CA bundles: a proxy with a
# certificate of its own could otherwise read the broker's keys on their way from Secrets Manager.
AWS = Config(
    connect_timeout=1,
    read_timeout=2,
    retries={"mode": "standard", "total_max_attempts": 3},
    max_pool_connections=MAX_WORKERS + 2,
    proxies={},
)

# A step ends with one attempt to store its journal, and does not wait for a second one.
AWS_ONCE = Config(
    connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 1}, proxies={}
)  # fmt: skip

# For whole journals and histories, by a step that no order waits for.
AWS_WHOLE = Config(
    connect_timeout=2, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 4}, proxies={}
)  # fmt: skip
