"""`repeg conformance`: runs the probes on a paper account or a simulated exchange, and leaves nothing behind."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from repeg.adapters.alpaca.keys import TradingMode, ensure_account_fits
from repeg.domain.errors import InvalidSettings
from repeg.domain.order_ids import parse_order_id
from repeg_workbench.operate import history
from repeg_workbench.operate.answer import DONE, UNFINISHED, Answer, counted
from repeg_workbench.operate.broker_line import Line, local_keys, mode_of, real, simulated, simulated_keys
from repeg_workbench.operate.conformance import order_probes, reading_probes  # noqa: F401 - they register themselves
from repeg_workbench.operate.conformance.bench import PREFIX, Bench
from repeg_workbench.operate.conformance.probe import PROBES, Outcome, Probe, Seen, unseen
from repeg_workbench.operate.failures import CannotOperate
from repeg_workbench.operate.stack import find_stack
from repeg_workbench.operate.workstation import Workstation

SYMBOL = "F"


@dataclass(frozen=True)
class Options:
    """Where to look. Exactly one of a paper account's keys on this machine and a simulated exchange is given."""

    is_paper: bool = False
    exchange: str | None = None
    stack: str | None = None
    symbol: str = SYMBOL


def conformance(at: Workstation, options: Options) -> Answer:
    """What each probe expects and finds, with the knobs of `repeg exchange` to set; exit code 1 if a row differs."""
    if options.is_paper == (options.exchange is not None):
        raise CannotOperate(
            "give either --paper, for the keys in APCA_API_KEY_ID and APCA_API_SECRET_KEY, or --exchange URL"
        )
    with closing(_line(at, options)) as line:
        bench = Bench(line, at.runtime, options.symbol)
        _require_free(at, bench, options)
        with _cleaned(bench):
            rows = [(probe, _seen(probe, bench)) for probe in sorted(PROBES, key=lambda probe: probe.row)]
    return _answer(rows)


def _line(at: Workstation, options: Options) -> Line:
    if options.exchange is not None:
        return Line(simulated(options.exchange), simulated_keys(), at.runtime)
    keys = local_keys()
    if mode_of(keys) is not TradingMode.PAPER:
        raise CannotOperate("these are the keys of a live account: conformance places orders on paper only")
    return Line(real(TradingMode.PAPER), keys, at.runtime)


def _require_free(at: Workstation, bench: Bench, options: Options) -> None:
    """Refuse a live account, and an account on which a run is active: its budget of requests is not to be shared."""
    account, listed = bench.trading("GET", "/account"), bench.listed()
    if account.status != 200 or listed.status != 200:
        raise CannotOperate(f"the account cannot be read ({account.message}): check the keys")
    try:
        ensure_account_fits(str(account.body.get("account_number")), TradingMode.PAPER)
    except InvalidSettings:
        raise CannotOperate("this is a live account: conformance places orders on paper only") from None
    ids = (parse_order_id(str(row.get("client_order_id"))) for row in listed.body)
    runs = {order_id.run_id for order_id in ids if order_id is not None}
    if options.stack is not None:
        guards = history.guards(find_stack(at, options.stack), history.RECENT_DAYS)
        runs |= {guard.run_id for guard in guards if not guard.is_over}
    if runs:
        raise CannotOperate(f"a run is active on this account ({', '.join(sorted(runs))}): wait for its end")


@contextmanager
def _cleaned(bench: Bench) -> Iterator[None]:
    """Prepare the bench, and remove every order of this command afterwards, whatever happens. Raises CannotOperate."""
    problem = bench.prepare()
    if problem:
        raise CannotOperate(problem)
    left = ""
    try:
        yield
    finally:
        with _undisturbed():
            left = bench.clean()
    if left:
        raise CannotOperate(
            f"orders may still be open: {left}; cancel them on the broker's page (ids begin with {PREFIX})"
        )


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Ignore Ctrl-C while orders are removed; only the main thread receives it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _seen(probe: Probe, bench: Bench) -> Seen:
    if probe.needs_session and not bench.is_open:
        return unseen("the market is closed")
    bench.rest()
    try:
        return probe.look(bench)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        return Seen(f"an answer that is not understood: {type(error).__name__}: {error}", Outcome.DIFFERS)


def _answer(rows: list[tuple[Probe, Seen]]) -> Answer:
    knobs = [knob for _, seen in rows for knob in seen.knobs]
    count = {outcome: sum(seen.outcome is outcome for _, seen in rows) for outcome in Outcome}
    counts = ", ".join(f"{number} {outcome}" for outcome, number in count.items())
    said = f"{counted(len(rows), 'row')}: {counts}."
    how = "repeg exchange " + " ".join(f"--knob {knob}" for knob in knobs)
    advice = f"The simulated exchange behaves so with: {how}" if knobs else "No knob has to be set."
    data: dict[str, Any] = {
        "rows": [{"row": probe.row, "expected": probe.expected, **asdict(seen)} for probe, seen in rows],
        "knobs": knobs,
        "counts": count,
    }
    return Answer(data, [*map(_line_of, rows), "", said, advice], UNFINISHED if count[Outcome.DIFFERS] else DONE)


def _line_of(row: tuple[Probe, Seen]) -> str:
    """A row: its number, what is expected, and below it what was found and the knobs to set."""
    probe, seen = row
    knobs = f"  (--knob {' --knob '.join(seen.knobs)})" if seen.knobs else ""
    return f"{seen.outcome:<8}{probe.row:>4}  {probe.expected}\n{'':>14}found: {seen.found}{knobs}"
