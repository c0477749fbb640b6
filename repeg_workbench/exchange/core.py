"""The simulated Alpaca: a market, an account and their API, driven by an external clock."""

from collections.abc import Callable
from typing import Final

from repeg_workbench.exchange.api.account_api import AccountApi
from repeg_workbench.exchange.api.data_api import DataApi
from repeg_workbench.exchange.api.gate import Gate
from repeg_workbench.exchange.api.history_api import HistoryApi
from repeg_workbench.exchange.api.parts import Parts
from repeg_workbench.exchange.api.routes import Routes, is_data
from repeg_workbench.exchange.api.trading_api import TradingApi
from repeg_workbench.exchange.broker.account import Account
from repeg_workbench.exchange.broker.desk import Desk
from repeg_workbench.exchange.broker.floor import Floor
from repeg_workbench.exchange.broker.ledger import Ledger
from repeg_workbench.exchange.broker.opening import OpeningAccount
from repeg_workbench.exchange.broker.races import Races
from repeg_workbench.exchange.broker.records import Records
from repeg_workbench.exchange.broker.replacing import Replacing
from repeg_workbench.exchange.broker.setting_aside import SettingAside
from repeg_workbench.exchange.broker.splits import Splits
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.control.control_plane import PREFIX, Control, ControlParts
from repeg_workbench.exchange.faults.transport_faults import Faults
from repeg_workbench.exchange.market.symbol_day import Market
from repeg_workbench.exchange.matching.improvement import improvement_of
from repeg_workbench.exchange.matching.symbol_book import FillModel
from repeg_workbench.exchange.matching.venue import Venue
from repeg_workbench.exchange.messages import Request, Response
from repeg_workbench.exchange.refusal import Refusal
from repeg_workbench.exchange.seeds import Draws
from repeg_workbench.exchange.streams.shown import Shown
from repeg_workbench.exchange.time.hours import Hours, TradingHours
from repeg_workbench.exchange.time.stamps import SECOND
from repeg_workbench.exchange.time.timers import FEED, MARKET, Timers

_DEFAULT_QUIRKS: Final = BrokerQuirks()
_DEFAULT_OPENING: Final = OpeningAccount()


class Exchange:
    """One simulated broker with one account.

    `clock()` is the only source of time (ns UTC). Each request first processes everything that has become due since the
    previous one, in exact order of time; with a `stride`, at most so many events, and the answer is of the time of the
    last one. The exchange starts no threads and is not thread-safe.
    """

    def __init__(
        self,
        market: Market,
        clock: Callable[[], int],
        quirks: BrokerQuirks = _DEFAULT_QUIRKS,
        opening: OpeningAccount = _DEFAULT_OPENING,
        seed: int = 0,
        fill_model: FillModel = FillModel.QUEUE,
    ) -> None:
        self.failure: Exception | None = None
        self.stride: int | None = None
        self.on_answer: list[Callable[[Request, Response], None]] = []
        self.faults, self.races = Faults(seed), Races(seed)
        self.faults.postpone = self._postpone
        self.market, self.quirks, self.opening = market, quirks, opening
        self._clock = clock
        self.now = clock()
        self.hours = TradingHours()
        self.timers = Timers()
        self.venue = Venue(
            market, fill_model, order_protection=quirks.order_protection, improvement=improvement_of(quirks, seed)
        )
        self.shown = Shown(market, self.venue, quirks, seed)
        self.feed = self.shown.feed
        self._start_days()
        draws = Draws(seed)
        self.account = Account(opening, draws.uuid(), self.now, self.price)
        self.records = Records(self.account, self.timers, quirks, draws)
        self.floor = Floor(self.records, self.venue, self.hours, self.races)
        self.desk = Desk(self.floor)
        self.replacing = Replacing(self.desk)
        self.gate = Gate({opening.key_id: opening.secret_key}, quirks)
        parts = self._api_parts()
        self.trading, self.data = TradingApi(parts), DataApi(parts)
        self.accounts = AccountApi(parts, self.trading)
        self.routes = Routes(self.trading, self.accounts, self.data, HistoryApi(parts, self.data), quirks)
        self.control = Control(self._control_parts())
        self._draws = draws

    @property
    def ledger(self) -> Ledger:
        """The account's complete record, for checking a client against."""
        return self.account.ledger

    def handle(self, request: Request) -> Response:
        """Answer one call at the clock's present time. Raises TransportFault if an armed fault leaves it unanswered."""
        self.advance(self.stride)
        if request.path.startswith(PREFIX):
            return self.control.handle(request)
        response = self.faults.before(request)
        if response is None:
            response = self.faults.after(request, self._answer(request))
        self.feed.refresh(self.now)
        response.headers["X-Request-ID"] = self.request_id()
        for listener in self.on_answer:
            listener(request, response)
        return response

    def clock(self) -> int:
        """The clock's time (ns); the exchange's own is `now`."""
        return self._clock()

    def request_id(self) -> str:
        """A new id for an answer."""
        return self._draws.request_id()

    def advance(self, most: int | None = None) -> bool:
        """Process everything due by the clock's time; if the clock has gone back, stay at the latest time seen.

        With `most`, process at most so many events and return whether that was all. After an error, `failure` is set:
        what was due has been done in part only.
        """
        try:
            return self._advance(most)
        except Exception as error:
            self.failure = error
            raise

    def _advance(self, most: int | None) -> bool:
        now, count = max(self._clock(), self.now), 0
        while True:
            due, market, feed = self.timers.next_turn, (self.venue.next_at, MARKET), (self.shown.next_at, FEED)
            turn = min(due, market, feed)
            if turn[0] > now:
                break
            if count == most:
                return False
            count += 1
            self.now = turn[0]
            if turn is due:
                self.timers.run_next()
            elif turn is feed:
                self.shown.run_next()
            else:
                for fill in self.venue.run_next():
                    self.floor.fill(fill)
            self.feed.refresh(self.now)
        self.now = now
        return True

    def skew_clock(self, seconds: float) -> None:
        """Set the clock endpoint, and nothing else, ahead by this many seconds."""
        self.accounts.clock_skew = round(seconds * SECOND)

    def split(self, symbol: str, new: int, old: int) -> None:
        """Split a stock now: every `old` shares become `new`."""
        self.advance()
        Splits(self.floor).split(symbol, new, old, self.now)

    def price(self, symbol: str) -> int:
        """The present value of one share, in price units."""
        return self.venue.price(symbol, self.now)

    def _api_parts(self) -> Parts:
        return Parts(
            market=self.market,
            venue=self.venue,
            shown=lambda feed: self.shown.of(feed)[:2],
            hours=self.hours,
            quirks=self.quirks,
            account=self.account,
            desk=self.desk,
            replacing=self.replacing,
            clock=lambda: self.now,
        )

    def _control_parts(self) -> ControlParts:
        return ControlParts(
            market=self.market,
            account=self.account,
            quirks=self.quirks,
            gate=self.gate,
            faults=self.faults,
            races=self.races,
            clock=lambda: self.now,
            advance=lambda: self.advance(self.stride),
            skew_clock=self.skew_clock,
            split=self.split,
            setting_aside=SettingAside(self.floor),
        )

    def _answer(self, request: Request) -> Response:
        of_data = is_data(request.path)
        try:
            self.gate.admit(request, self.now, is_data=of_data)
            response = self.routes.dispatch(request)
        except Refusal as refusal:
            response = refusal.response()
        if of_data and self.quirks.data_rate_headers:
            response.headers.update(self.gate.data.headers())
        return response

    def _postpone(self, seconds: float, request: Request) -> None:
        self.timers.at(self.now + round(seconds * SECOND), self._arrive, request)

    def _arrive(self, at: int, request: Request) -> None:  # noqa: ARG002
        self._answer(request)

    def _start_days(self) -> None:
        session = self.hours.upcoming(self.now)
        current = session if self.now >= session.pre else self.hours.before(session)
        self.shown.open_day(current.day, self.hours.before(current).day)
        if current is not session:
            self._schedule(current)
        self._schedule(session)

    def _schedule(self, hours: Hours) -> None:
        starts = {hours.pre: self._turn_day, hours.open: self._open}
        ends = {hours.close: self._close, hours.post: self._end}
        for at, action in starts.items():
            if at > self.now:
                self.timers.at(at, action, hours)
        for at, action in ends.items():
            if at > self.now:
                self.timers.before_market(at, action, hours)

    def _turn_day(self, at: int, hours: Hours) -> None:
        self.shown.turn_day(hours.day, self.hours.before(hours).day, at)
        self.account.portfolio.start_day()
        self.desk.open_session(at)

    def _open(self, at: int, hours: Hours) -> None:  # noqa: ARG002
        self.desk.open_session(at)

    def _close(self, at: int, hours: Hours) -> None:
        self.desk.end_session(at)
        self.account.portfolio.end_session()
        self._schedule(self.hours.after(hours))

    def _end(self, at: int, hours: Hours) -> None:  # noqa: ARG002
        self.desk.end_session(at)
