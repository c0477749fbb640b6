"""The page about the generated market shows the saved measurements of the market as it is."""

from repeg_workbench.calibration import page
from repeg_workbench.calibration.acceptance import misses
from repeg_workbench.calibration.measure import fingerprint
from repeg_workbench.calibration.recorded import Cell

RERUN = "run python -m repeg_workbench.calibration"


def test_the_page_shows_the_saved_measurements() -> None:
    assert page.PAGE.read_text(encoding="utf-8") == page.page(page.kept()), RERUN


def test_the_saved_measurements_are_of_the_market_as_it_is() -> None:
    assert page.kept()["fingerprint"] == fingerprint(), RERUN


def test_a_cell_misses_by_its_cost_its_share_or_its_time() -> None:
    real = Cell(0.5, 0.1, 0.9, 60)
    assert misses(Cell(0.69, 0, 0.81, 89), real) == ()
    assert misses(Cell(0.71, 0, 0.79, 91), real) == ("cost", "share", "time")
    assert misses(Cell(0.63, 0, 0.9, 39), Cell(0.5, 0.01, 0.9, 60)) == ("cost", "time")
    assert misses(Cell(1, 0, 0, 0.1), Cell(1, 0, 0, 1)) == ()
