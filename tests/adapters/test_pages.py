"""The pages as HTML: whatever a journal holds is escaped, and each page has all that it needs inside."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from hashlib import sha256
from html.parser import HTMLParser
from typing import Any

import pytest

from repeg.adapters.pages.document import CHART_STYLE, CHARTS, asset, embedded
from repeg.adapters.pages.machine import PARTS
from repeg.adapters.pages.markup import Html, tag
from repeg.adapters.pages.order_table import COLUMNS
from repeg.adapters.pages.run_page import run_page
from repeg.adapters.pages.words import bps, dollars, number, price, seconds, shares
from repeg.domain.crossing import CrossingCost
from repeg.domain.outcome import Outcome
from repeg.domain.run_page.build import page_of
from repeg.domain.run_page.page import Circumstances, Usage
from repeg.domain.run_page.record import RunRecord
from tests.report.day import Worked, page
from tests.statemachine.node import NODE_FOLDER, missing
from tests.template.stack import definition

HOSTILE = '</script><script>alert("1")</script><img src=x onerror=alert(2)>\'"&'


class Parsed(HTMLParser):
    """The elements of a page with their attributes, its text, and what its data element holds."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.data = ""
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._inside = "data" if dict(attrs).get("id") == "data" else tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "data":
            self.data += data
        elif self._inside not in {"script", "style"}:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for element, attributes in self.elements if element == name]


def shown(*orders: Worked, known: Circumstances | None = None, is_whole: bool = True) -> Parsed:
    return Parsed(run_page(page(*orders, known=known, is_whole=is_whole)))


def test_hostile_text_stays_text_wherever_a_journal_has_it() -> None:
    known = Circumstances(mode="paper", notes=(HOSTILE,), problems=(HOSTILE,))
    seen = shown(Worked(symbol=HOSTILE, reason=HOSTILE), known=known)
    assert len(seen.all("script")) == 4
    assert seen.all("img") == []
    assert not any(name.startswith("on") for _, attributes in seen.elements for name in attributes)
    assert seen.text.count(HOSTILE) == 4  # the note, the problem, the symbol and the reason
    data = json.loads(seen.data)
    assert data["orders"][0]["symbol"] == HOSTILE
    assert HOSTILE in data["words"]


def test_embedded_data_cannot_end_their_element() -> None:
    assert "<" not in embedded(["</script>", "<!--"])
    assert json.loads(embedded(["</script>", "\u2028"])) == ["</script>", "\u2028"]


def test_text_in_an_element_is_escaped_and_markup_is_not() -> None:
    assert tag("td", "<b>", tag("i", "&"), title='"') == '<td title="&quot;">&lt;b&gt;<i>&amp;</i></td>'
    assert isinstance(tag("p"), Html)


def test_a_page_reaches_for_nothing_outside_of_its_file() -> None:
    seen = shown(Worked())
    for element, attributes in seen.elements:
        assert not {"src", "srcset", "action"} & set(attributes), element
        assert (attributes.get("href") or "#").startswith("#"), element
    (policy,) = [a["content"] for a in seen.all("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    assert (policy or "").startswith("default-src 'none'; script-src 'sha256-")


@pytest.mark.parametrize(
    ("mode", "badge"),
    [("live", "LIVE"), ("paper", "paper"), ("simulated", "simulated"), ("", "account not known")],
)
def test_the_page_says_whose_money_it_was(mode: str, badge: str) -> None:
    assert badge in shown(Worked(), known=Circumstances(mode=mode)).text


def test_the_summary_has_cost_interval_and_market_orders() -> None:
    orders = [Worked(symbol, fills=(("100", f"100.0{n}"),)) for n, symbol in enumerate("ABCDE")]
    text = shown(*orders).text
    assert "5 of 5 orders" in text
    assert "$50,010.00 traded" in text
    assert "−$2.50 on $50,012.50; 95 % interval −2.46 to 1.46 bps" in text
    assert "$15.00 saved" in text
    assert "1.00 assumed" in text
    assert "is not measured by this run alone: no control order has traded" in text


def test_the_order_table_has_as_many_sent_as_the_tape() -> None:
    """The column of the tape's table: orders at the broker, the first one too."""
    html = run_page(page(Worked(), Worked("KO")))
    (rows,) = re.findall(r'<table id="order-table".*?<tbody>(.*?)</tbody>', html)
    number = next(n for n, column in enumerate(COLUMNS) if column.heading == "sent")
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", row)[number] for row in rows.split("</tr>")[:-1]]
    assert cells == ["1", "1"]


@pytest.mark.parametrize(
    ("crossing", "card", "said"),
    [
        (
            CrossingCost(value=Decimal("0.4"), because="measured with 31 control orders"),
            "if taking costs 0.40 half-spreads (measured)",
            "The summary counts with the account's own cost of taking, measured with 31 control orders: the first row.",
        ),
        (
            CrossingCost(value=None, because="7 control orders have traded; 20 are needed"),
            "if taking costs 1.00 half-spreads (assumed)",
            "the account's own cost of taking is not measured yet: 7 control orders have traded; 20 are needed.",
        ),
    ],
)
def test_the_page_says_which_cost_of_taking_it_counts_with(crossing: CrossingCost, card: str, said: str) -> None:
    text = shown(Worked(), known=Circumstances(mode="paper", crossing=crossing)).text
    assert card in text
    assert said in text


def test_a_page_without_orders_says_so() -> None:
    text = Parsed(run_page(page_of(RunRecord(), Circumstances(problems=("it has no header",))))).text
    assert "The journal has no order." in text
    assert "Nothing was traded" in text
    assert "it has no header" in text


def test_a_page_without_fills_says_so() -> None:
    seen = shown(Worked(fills=(), left="100.12", reason="the window closed", outcome=Outcome.NO_FILL_COLLAR))
    assert "no fill collar" in seen.text
    assert "0 (0 %)" in seen.text


def test_an_order_without_a_cost_is_counted_beside_the_figures() -> None:
    """Nothing of it is in them: its journal has no mid for the shares that were not filled."""
    seen = shown(Worked(), Worked("KO", fills=(("40", "100.01"),), outcome=Outcome.HELD_WIDE))
    assert (
        "1 order without an arrival price, or without a price for what was not filled: not in these figures."
        in seen.text
    )


def test_problems_come_before_the_figures_that_they_cut_short() -> None:
    text = shown(Worked(), Worked("KO"), is_whole=False, known=Circumstances(problems=("it was cut off",))).text
    assert "The journal is not whole" in text
    assert text.index("it was cut off") < text.index("Summary")


# The state machine


def test_the_state_machine_has_its_counts_and_dollars() -> None:
    usage = Usage({"OpenRun": 1, "RepegOrders": 16, "RenewRun": 1}, 18, 255, 186, Decimal(265), Decimal("0.004"))
    text = shown(Worked(), known=Circumstances(usage=usage)).text
    assert "RepegOrders 16" in text
    assert "Also RenewRun 1" in text
    assert "$0.000400" in text
    assert "255 requests to the broker" in text.replace("requests to the broker 255", "255 requests to the broker")


def test_the_pages_states_are_those_of_the_definition() -> None:
    assert {name for _, names in PARTS for name in names} <= set(definition()["States"])


# Words


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (dollars(Decimal("-1234.5")), "−$1,234.50"), (dollars(Decimal("-0.001")), "$0.00"), (dollars(None), "–"),
        (number(Decimal("-0.001")), "0.00"), (number(Decimal("-12.3456")), "−12.35"), (bps(Decimal("4.5")), "4.50 bps"),
        (shares(Decimal("1E+3")), "1,000"), (shares(Decimal("0.5000")), "0.5"), (price(Decimal("0.12345")), "0.1234"),
        (price(Decimal("188.7")), "188.70"), (seconds(Decimal("2.60")), "2.6 s"), (seconds(Decimal(268)), "4 min 28 s"),
    ],
)  # fmt: skip
def test_figures_are_written_for_people(said: str, expected: str) -> None:
    assert said == expected


# The chart library

HASHES = {
    CHARTS: "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
    CHART_STYLE: "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
}


@pytest.mark.parametrize("name", HASHES)
def test_the_chart_library_is_the_one_that_was_decided_on(name: str) -> None:
    assert sha256(asset(name).encode()).hexdigest() == HASHES[name]


@pytest.mark.skipif(missing() != "", reason=missing())
@pytest.mark.parametrize("name", HASHES)
def test_the_chart_library_is_its_npm_package_byte_for_byte(name: str) -> None:
    """npm has checked the package against the hash in requirements/node/package-lock.json."""
    package = NODE_FOLDER / "node_modules" / "uplot" / "dist" / name
    assert asset(name).encode() == package.read_bytes()


def test_the_programs_escape_by_making_text_alone() -> None:
    """No text of a journal can become markup in the browser."""
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", asset("page.js"))


def test_a_large_pages_looks_are_limited() -> None:
    many: Any = replace(Worked(), bids=tuple(range(3_000)))
    assert len(json.loads(shown(many).data)["orders"][0]["looks"]) <= 2_003


def test_buys_wait_until_the_decision_after_the_last_that_left_one_waiting() -> None:
    made = page(Worked("AAPL"))
    (first,) = made.releases
    assert "between 12:00:00 and 12:00:00" in Parsed(run_page(made)).text
    later = [
        first._replace(at=first.at + timedelta(seconds=s), waiting=waiting) for s, waiting in ((5, 1), (10, 0), (15, 0))
    ]
    assert (
        "Buys waited for the cash of sells between 12:00:00 and 12:00:10."
        in Parsed(run_page(replace(made, releases=(first, *later)))).text
    )
