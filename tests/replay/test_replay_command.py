"""`repeg replay` prints the same figures every time, and refuses what it cannot replay."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from repeg_workbench.cli import app
from repeg_workbench.exchange.time.calendar import NANOSECONDS, new_york
from repeg_workbench.replay.plans import strategies
from tests.replay.test_cleaning import DAY

FIELDS = {
    "symbol", "day", "strategy", "fill_model", "n", "cost_bps", "cost_half_spreads", "se_half_spreads", "sd_bps",
    "p95_bps", "passive_share", "moves", "seconds_to_fill", "crossing_cost", "size", "dollars_per_100k",
}  # fmt: skip
RECORDING = Path(__file__).parents[2].parent / "shared" / "market"


def replayed(*options: str) -> Result:
    return CliRunner().invoke(app, ["replay", *options])


def document(*options: str) -> dict[str, Any]:
    result = replayed(*options, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A recording of a book four cents wide that goes up and down a cent a minute, with a print each second."""
    opens = new_york(DAY, "09:30")
    quotes, trades = ["ts,bid,bid_size,ask,ask_size"], ["ts,price,size,side"]
    for second in range(23_400):
        at, cents = opens + second * NANOSECONDS, 10_000 + second // 60 % 7
        if second % 60 == 0:
            quotes.append(f"{at},{cents / 100:.2f},300,{(cents + 4) / 100:.2f},300")
        side = 1 if second % 2 else -1
        trades.append(f"{at + 5},{(cents + (4 if side > 0 else 0)) / 100:.2f},100,{side}")
    (tmp_path / f"XXX-{DAY}.quotes.csv").write_text("\n".join(quotes))
    (tmp_path / f"XXX-{DAY}.trades.csv").write_text("\n".join(trades))
    return tmp_path


def test_a_replay_has_a_row_for_every_strategy_and_fill_model(folder: Path) -> None:
    rows = document("--recordings", str(folder), "--arrivals", "20")["rows"]
    assert {row["strategy"] for row in rows} == set(strategies(300))
    assert {row["fill_model"] for row in rows} == {"trade_through", "queue", "touch", "odd_lot"}
    assert len(rows) == 4 * len(strategies(300))
    assert all(set(row) >= FIELDS for row in rows)
    market = next(row for row in rows if row["strategy"] == "market")
    assert (market["n"], market["passive_share"], market["orders_sent"]) == (40, 0, 1)
    assert market["cost_half_spreads"] == pytest.approx(1, abs=0.1)


def test_a_replay_is_the_same_for_the_same_seed(folder: Path) -> None:
    options = ("--recordings", str(folder), "--arrivals", "20", "--strategies", "repeg,inside")
    assert replayed(*options, "--seed", "4").stdout == replayed(*options, "--seed", "4").stdout
    assert replayed(*options, "--seed", "4").stdout != replayed(*options, "--seed", "5").stdout


def test_cheaper_crossing_lowers_the_cost_of_what_is_taken(folder: Path) -> None:
    options = ("--recordings", str(folder), "--arrivals", "20", "--strategies", "market", "--fill-models", "queue")
    full, half = document(*options, "--crossing-cost", "1", "--crossing-cost", "0.5")["rows"]
    assert half["cost_half_spreads"] == pytest.approx(full["cost_half_spreads"] - 0.5)
    assert half["dollars_per_100k"] == pytest.approx(half["cost_bps"] * 10, abs=1e-3)


def test_a_day_that_was_tuned_on_is_marked_in_every_row(folder: Path) -> None:
    options = ("--recordings", str(folder), "--arrivals", "9", "--strategies", "join", "--fill-models", "queue")
    assert {row["part"] for row in document(*options)["rows"]} == {"judging"}
    assert {row["part"] for row in document(*options, "--tuned-on", str(DAY))["rows"]} == {"tuning"}


def test_the_best_peer_is_compared_order_by_order(folder: Path) -> None:
    options = ("--recordings", str(folder), "--arrivals", "20", "--strategies", "repeg,join,market")
    rows = [row for row in document(*options)["rows"] if row["fill_model"] == "queue"]
    costs = {row["strategy"]: row["cost_half_spreads"] for row in rows}
    ours = next(row for row in rows if row["strategy"] == "repeg")
    assert ours["best_peer"] == min(("join", "market"), key=costs.__getitem__)
    assert ours["difference_half_spreads"] == pytest.approx(costs["repeg"] - costs[ours["best_peer"]], abs=2e-4)


def test_the_page_has_every_table_and_asks_for_nothing(folder: Path, tmp_path: Path) -> None:
    html = tmp_path / "page.html"
    assert replayed("--recordings", str(folder), "--arrivals", "9", "--html", str(html)).exit_code == 0
    text = html.read_text()
    assert "XXX" in text
    assert "odd_lot" in text
    assert all(word not in text for word in ("http", "src=", "@import"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--strategies", "magic"), "strategies"),
        (("--fill-models", "hope"), "fill-models"),
        (("--arrivals", "0"), "arrivals"),
        (("--size", "-1"), "size"),
        (("--crossing-cost", "7"), "crossing-cost"),
        (("--symbols", "NONE"), "symbols"),
        (("--tuned-on", "yesterday"), "date"),
    ],
)
def test_a_wrong_option_is_refused_by_name(folder: Path, options: tuple[str, ...], message: str) -> None:
    result = replayed("--recordings", str(folder), *options)
    assert (result.exit_code, message in result.output) == (2, True), result.output


def test_an_unsound_recording_is_refused_with_file_and_row(folder: Path) -> None:
    path = folder / f"XXX-{DAY}.quotes.csv"
    path.write_text(path.read_text().replace(",300,", ",none,", 1))
    result = replayed("--recordings", str(folder))
    assert (result.exit_code, "line 2, field bid_size" in result.output) == (2, True), result.output


def test_a_recording_without_room_for_an_order_is_refused(folder: Path) -> None:
    path = folder / f"XXX-{DAY}.quotes.csv"
    path.write_text("\n".join(path.read_text().splitlines()[:3]))
    (folder / f"XXX-{DAY}.trades.csv").unlink()
    result = replayed("--recordings", str(folder))
    assert (result.exit_code, "without a gap" in result.output) == (2, True), result.output


def test_the_recorded_stock_costs_what_an_independent_replay_found() -> None:
    """Two rules under two models, as published with the recording: within two standard errors of both."""
    if not RECORDING.is_dir():
        pytest.skip("the recorded stock is not beside this checkout")
    names = ("--strategies", "inside,join", "--fill-models", "queue,trade_through", "--arrivals", "600")
    rows = document("--recordings", str(RECORDING), *names)["totals"]
    found = {(row["strategy"], row["fill_model"]): row for row in rows}
    expected = {
        ("inside", "queue"): (0.66, 0.08), ("join", "queue"): (0.83, 0.14),
        ("inside", "trade_through"): (1.03, 0.12), ("join", "trade_through"): (1.28, 0.18),
    }  # fmt: skip
    for name, (cost, error) in expected.items():
        tolerance = 2 * (error**2 + found[name]["se_half_spreads"] ** 2) ** 0.5
        assert found[name]["cost_half_spreads"] == pytest.approx(cost, abs=tolerance), name
