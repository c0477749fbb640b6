"""When the market is open, in nanoseconds: the calendar's sessions with their pre- and after-hours."""

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
        """In the core session, [open, close)."""
        return self.open <= at < self.close

    def is_extended(self, at: int) -> bool:
        """Anywhere from the pre-open to the end of after-hours, [pre, post)."""
        return self.pre <= at < self.post


def hours_of(session: Session) -> Hours:
    """The session with the hours around it."""
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
    """Answers what session an instant is in or before, remembering the last answer."""

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
        """The session that is on, or else the next: the first whose close is later than the instant."""
        known = self._upcoming
        if known is not None and self._upcoming_from <= at < known.close:
            return known
        found = self._search(at)
        self._upcoming, self._upcoming_from = found, at
        return found

    def after(self, hours: Hours) -> Hours:
        """The session after that one."""
        return self._of(self.calendar.next_session(datetime.fromtimestamp(hours.open // SECOND, UTC)))

    def before(self, hours: Hours) -> Hours:
        """The session before that one."""
        return self._of(self.calendar.previous_session(datetime.fromtimestamp(hours.open // SECOND, UTC)))

    def on(self, day: date) -> Hours | None:
        """That day's session; None where the market is closed all day."""
        session = self.calendar.session(day)
        return self._of(session) if session else None

    def good_till_canceled(self, at: int) -> int:
        """When an order without a day's end is canceled all the same: 16:15 in New York, 90 days on."""
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
