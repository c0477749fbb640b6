"""Trading hours in nanoseconds: the calendar's sessions with their pre-market and after-hours."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from repeg_workbench.exchange.time.calendar import Session, TradingCalendar
from repeg_workbench.exchange.time.stamps import NEW_YORK, SECOND, at_local, local_day, nanoseconds

PRE_OPEN: Final = time(4)
_AFTER_CLOSE: Final = time(20)
_AFTER_EARLY_CLOSE: Final = time(17)
_GOOD_TILL_CANCELED_DAYS: Final = 90
_GOOD_TILL_CANCELED_SWEEP: Final = time(16, 15)


@dataclass(frozen=True, slots=True)
class Hours:
    """One trading day in nanoseconds: pre ≤ open < close ≤ post."""

    day: date
    pre: int
    open: int
    close: int
    post: int
    is_early_close: bool

    def is_core(self, at: int) -> bool:
        """Whether the instant is in the core session, [open, close)."""
        return self.open <= at < self.close

    def is_extended(self, at: int) -> bool:
        """Whether the instant is between the start of pre-market and the end of after-hours, [pre, post)."""
        return self.pre <= at < self.post


def hours_of(session: Session) -> Hours:
    """The session with its pre-market and after-hours."""
    after = _AFTER_EARLY_CLOSE if session.is_early_close else _AFTER_CLOSE
    return Hours(
        day=session.day,
        pre=at_local(session.day, PRE_OPEN),
        open=nanoseconds(session.open),
        close=nanoseconds(session.close),
        post=at_local(session.day, after),
        is_early_close=session.is_early_close,
    )


class TradingHours:
    """Finds the session that an instant is in or before, and caches the last result."""

    def __init__(self, calendar: TradingCalendar | None = None) -> None:
        self.calendar = calendar or TradingCalendar()
        self._known: dict[date, Hours] = {}
        self._upcoming: Hours | None = None
        self._upcoming_from = 0
        self._day_start = self._day_end = 0
        self._day = date.min

    def day(self, at: int) -> date:
        """The date in New York."""
        if not self._day_start <= at < self._day_end:
            self._day = local_day(at)
            self._day_start = at_local(self._day, time())
            self._day_end = at_local(self._day + timedelta(days=1), time())
        return self._day

    def upcoming(self, at: int) -> Hours:
        """The present session or else the next one: the first that closes after the instant."""
        known = self._upcoming
        if known is not None and self._upcoming_from <= at < known.close:
            return known
        found = self._search(at)
        self._upcoming, self._upcoming_from = found, at
        return found

    def after(self, hours: Hours) -> Hours:
        """The following session."""
        return self._of(self.calendar.next_session(datetime.fromtimestamp(hours.open // SECOND, UTC)))

    def before(self, hours: Hours) -> Hours:
        """The preceding session."""
        return self._of(self.calendar.previous_session(datetime.fromtimestamp(hours.open // SECOND, UTC)))

    def on(self, day: date) -> Hours | None:
        """The day's session; None if the market is closed all day."""
        session = self.calendar.session(day)
        return self._of(session) if session else None

    def good_till_canceled(self, at: int) -> int:
        """When the broker cancels a good-till-canceled order: at 16:15 in New York, 90 days later."""
        return at_local(self.day(at) + timedelta(days=_GOOD_TILL_CANCELED_DAYS), _GOOD_TILL_CANCELED_SWEEP)

    def _search(self, at: int) -> Hours:
        today = self.on(self.day(at))
        if today is not None and at < today.close:
            return today
        return self._of(self.calendar.next_session(datetime.fromtimestamp(at // SECOND, NEW_YORK)))

    def _of(self, session: Session) -> Hours:
        if session.day not in self._known:
            self._known[session.day] = hours_of(session)
        return self._known[session.day]
