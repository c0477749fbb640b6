"""What taking really costs on a stack's account, for estimates and pages of runs: from the journals of its runs."""

from __future__ import annotations

from datetime import datetime, timedelta

from repeg.adapters.journal.bucket import keys_since
from repeg.adapters.journal.files import read_file
from repeg.domain.crossing import CrossingCost
from repeg.domain.savings import savings_of
from repeg_workbench.operate.failures import AWS_ERRORS, CannotOperate
from repeg_workbench.operate.stack import DeployedStack
from repeg_workbench.operate.watch import BUCKET
from repeg_workbench.savings.collect import Collected

# A quarter: long enough for twenty control orders of a monthly rebalance, short enough to be of today's broker. Only
# the journals of closing steps are read, one or two objects for each run.
SINCE = timedelta(days=92)
CLOSING = ("CloseRun",)


def measured_crossing(stack: DeployedStack, at: datetime) -> CrossingCost:
    """The crossing cost that the control orders have shown, of the months before a time and of all since; without a
    value, and with the reason, while they are too few or their journals cannot be read: nothing fails for want of it.
    """
    since, collected = (at - SINCE).date(), Collected()
    try:
        s3, bucket = stack.at.client("s3"), stack.resource(BUCKET)
        keys = keys_since(s3, bucket, since, CLOSING)
        collected.read((read_file(key, s3.get_object(Bucket=bucket, Key=key)["Body"].read()) for key in keys), since)
    except (*AWS_ERRORS, CannotOperate) as error:
        return CrossingCost(value=None, because=f"the journals cannot be read: {type(error).__name__}")
    return savings_of(collected.orders.values()).crossing
