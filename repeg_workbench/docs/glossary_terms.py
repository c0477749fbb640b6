"""The terms of docs/glossary.md: where each is defined, with words of its own only if the docstring is not enough."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Term:
    """A word, and the module or object whose docstring defines it. `meaning` replaces the docstring's sentence."""

    name: str
    place: str
    meaning: str = ""


@dataclass(frozen=True)
class Section:
    """Terms of one subject, in the order in which a reader meets them."""

    title: str
    terms: tuple[Term, ...]


RUNS = Section(
    "Runs and orders",
    (
        Term("plan", "repeg.domain.plan", "What to hold or trade: a list of orders, or target weights."),
        Term("run", "repeg.domain.run"),
        Term("parent order", "repeg.domain.parent_order:ParentOrder"),
        Term("child order", "repeg.domain.child_order:Child"),
        Term(
            "client order id",
            "repeg.domain.order_ids",
            "The id that we give an order: stack, run, symbol, side and attempt.",
        ),
        Term("settings", "repeg.domain.settings"),
        Term("window", "repeg.domain.session:TradingWindow"),
        Term(
            "turn",
            "repeg.workflow.turn",
            "One pass of the loop, every `order_monitoring_seconds`: read every working order back from the broker, "
            "decide, act once on each.",
        ),
        Term(
            "renewal",
            "repeg.domain.next_step:NextStep",
            "A run that continues in a new execution before its history is full.",
        ),
        Term("hold reason", "repeg.domain.outcome:HoldReason"),
        Term("outcome", "repeg.domain.outcome:Outcome"),
        Term("report", "repeg.domain.report"),
        Term("journal", "repeg.domain.journal"),
        Term("tape", "repeg_workbench.simulate.tape"),
    ),
)

PRICES = Section(
    "Prices",
    (
        Term("top of the book, touch", "repeg.domain.quote:Quote"),
        Term(
            "near side, far side",
            "repeg.domain.pricing:passive_price",
            "The best price on our own side of the book, and on the other. For a buy, the near side is the bid.",
        ),
        Term("tick", "repeg.domain.tick", "The minimum price increment, by price and date."),
        Term("quote check", "repeg.domain.quote:check_quote"),
        Term(
            "arrival price",
            "repeg.domain.quote_check:check_waiting_order",
            "The mid of an order's first accepted quote. It is the benchmark of its cost, and the base of its collar.",
        ),
        Term(
            "decision price",
            "repeg.domain.decision_price",
            "The mid of an order's book when its run could first trade. It is the benchmark of the shortfall.",
        ),
        Term(
            "implementation shortfall",
            "repeg.domain.shortfall",
            "What an order's whole target has cost against its decision price: delay, timing, spread and opportunity.",
        ),
        Term(
            "markout",
            "repeg.domain.markouts:Markout",
            "How far the mid has moved our way some time after a fill, from the fill's price.",
        ),
        Term("collar", "repeg.domain.pricing:collar"),
        Term("peg", "repeg.domain.peg", "The price at which an order rests, relative to the near side."),
        Term(
            "re-peg, move",
            "repeg.domain.decision:Action",
            "Give an order a new price because the near side has moved away.",
        ),
        Term("replace", "repeg.domain.replacement"),
        Term("rung", "repeg.domain.child_order:Rung"),
        Term("escalation ladder", "repeg.domain.setting_types:Escalation"),
        Term("patience", "repeg.domain.peg", "How long, and for how many moves, an order rests before it escalates."),
        Term(
            "control order, treated order",
            "repeg.domain.arm:Arm",
            "A small order that was drawn to be sent at the market at arrival, and one that is worked as usual.",
        ),
        Term(
            "effective spread",
            "repeg.domain.crossing:Taking",
            "What a take really pays against the mid, in half-spreads of its quote: 1 is the displayed price.",
        ),
        Term("funding", "repeg.domain.funding:Funding"),
    ),
)

SAFETY = Section(
    "Placing exactly once",
    (
        Term("intent", "repeg.domain.intent"),
        Term("unknown outcome", "repeg.domain.broker:Unknown"),
        Term(
            "in-flight order",
            "repeg.workflow.in_flight",
            "An order that was sent and whose outcome at the broker is not known.",
        ),
        Term(
            "orphaned order",
            "repeg.workflow.watchdog",
            "An order of ours that is open at the broker and that no run holds.",
        ),
        Term("reconciliation", "repeg.workflow.reconciliation"),
        Term(
            "epoch, fence",
            "repeg.domain.run:Run",
            "A number that rises when another execution takes a run over. Every write is conditional on it, which "
            "fences the old execution: it can no longer write.",
        ),
        Term("kill switch", "repeg.domain.run:KillSwitch"),
        Term("arming", "repeg.domain.arming"),
        Term("budget", "repeg.domain.limits:BudgetEntry"),
        Term("request quota", "repeg.domain.request_quota"),
        Term(
            "lease",
            "repeg.domain.request_quota:lease_sizes",
            "Requests that a container takes from the quota in advance.",
        ),
        Term("time limits", "repeg.domain.time_limits"),
        Term("sweep", "repeg.workflow.sweeping:sweep"),
        Term("watchdog", "repeg.workflow.watchdog"),
        Term("alert", "repeg.domain.run_health:Alert"),
    ),
)

CODE = Section(
    "The code",
    (
        Term("domain", "repeg.domain"),
        Term("workflow", "repeg.workflow"),
        Term(
            "port",
            "repeg.ports",
            "An interface (a protocol) to something outside the workflow: the broker, the market data, the store.",
        ),
        Term("adapter", "repeg.adapters", "The deployed implementation of a port, on the network, AWS or the clock."),
        Term(
            "step",
            "repeg.lambda_step:lambda_step",
            "A function that the state machine calls, and the state that calls it.",
        ),
    ),
)

SIMULATION = Section(
    "The simulation",
    (
        Term("simulated Alpaca", "repeg_workbench.exchange.core"),
        Term("fill model", "repeg_workbench.exchange.matching.fill_rules:FillModel"),
        Term("broker quirk", "repeg_workbench.exchange.broker_quirks"),
        Term("transport fault", "repeg_workbench.exchange.faults.transport_faults"),
        Term("race", "repeg_workbench.exchange.broker.races"),
        Term("port fault", "repeg_workbench.faults.fault_plan:PortFault"),
        Term("workflow fault", "repeg_workbench.faults.fault_plan:WorkflowFault"),
        Term("seed, seeded day", "repeg_workbench.faults.seeded_days"),
        Term("judge", "repeg_workbench.faults.judges.judgement"),
        Term(
            "planted bug",
            "repeg_workbench.faults.planting:PlantedBug",
            "A known bug put into the deployed code on purpose, which the judge must detect.",
        ),
        Term("baseline", "repeg_workbench.faults.baselines"),
        Term("twin", "repeg_workbench.twins", "A fake of a port that passes the same contract tests as the adapter."),
        Term("engine, virtual time", "repeg_workbench.engine.engine"),
    ),
)

SECTIONS = (RUNS, PRICES, SAFETY, CODE, SIMULATION)
