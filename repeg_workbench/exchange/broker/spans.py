"""When an order may start and stop working, from its time in force and session."""

from repeg_workbench.exchange.broker.orders import Terms
from repeg_workbench.exchange.time.hours import TradingHours


def starts_at(terms: Terms, hours: TradingHours, at: int) -> int:
    """When (ns) an order may be at the venue: now, or at the start of its next session."""
    session = hours.upcoming(at)
    if terms.time_in_force == "cls":
        return session.close
    if terms.time_in_force == "opg":
        return session.open if at < session.open else hours.after(session).open
    if not terms.extended_hours:
        return max(session.open, at)
    today = hours.on(hours.day(at))
    return at if today is not None and today.is_extended(at) else max(session.pre, at)


def ends_at(terms: Terms, hours: TradingHours, at: int) -> int:
    """When (ns) an order that arrives now expires."""
    if terms.time_in_force == "gtc":
        return hours.good_till_canceled(at)
    session = hours.upcoming(at)
    if terms.time_in_force == "opg":
        return session.close if at < session.open else hours.after(session).close
    if not terms.extended_hours:
        return session.close
    today = hours.on(hours.day(at))
    return today.post if today is not None and today.is_extended(at) else session.post
