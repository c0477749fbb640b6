"""Checks of the architecture: consistent names, allowed imports, and sizes of files and functions."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.statemachine.rules import tasks
from tests.template.stack import FUNCTION, ROOT, definition, of_type, written

LAYER = ROOT / "layers" / "repeg" / "python" / "repeg"
DEPLOYED = [ROOT / "functions", LAYER]
PORTS = [LAYER / "ports.py", LAYER / "store_port.py"]
OURS = [*DEPLOYED, ROOT / "repeg_workbench", ROOT / "tests"]

# Packages and modules that reach outside the process.
WORLD = {"alpaca", "aws_lambda_powertools", "boto3", "botocore"}
SURROUNDINGS = {"os", "random", "secrets", "socket", "subprocess", "threading", "time", "uuid"}
# A module with a generic name attracts unrelated code.
NAMELESS = {"common", "helpers", "manager", "managers", "misc", "models", "services", "util", "utils"}

LONGEST_FILE = 250
LONGEST_TEST_FILE = 400
LONGEST_FUNCTION = 40
LONGEST_TEST_NAME = 72
# Words that leave a test's subject unnamed.
PRONOUNS = {
    *("one", "it", "its", "this", "that", "these", "those", "they", "what", "whatever", "which", "who", "whoever"),
    *("nobody", "nothing", "somebody", "something", "everybody", "everything", "anything"),
}
# Longer files and functions. A figure may only fall, and is removed once within the limit.
LONG_FILES = {
    "tests/contracts/test_broker.py": 415,
    "tests/contracts/test_store.py": 516,
}
LONG_FUNCTIONS: dict[str, int] = {}


def snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


STEPS = {name: snake(name) for name in tasks(definition())}
# Called by events and by an operator, not by the machine.
KEEPERS = {
    "SweepOrders": "sweep_orders",
    "WatchRuns": "watch_runs",
    "ServeOperator": "serve_operator",
    "WritePage": "write_page",
}
DOORS = STEPS | KEEPERS


def test_a_step_has_one_name_everywhere() -> None:
    """State, template function, substitution, folder, event and test file share one name."""
    template = written()
    (machine,) = of_type(template, "AWS::Serverless::StateMachine").values()
    functions = of_type(template, FUNCTION)
    assert set(functions) == set(DOORS)
    assert set(machine["Properties"]["DefinitionSubstitutions"]) == {f"{name}Arn" for name in STEPS}
    for name, folder in DOORS.items():
        assert functions[name]["Properties"]["CodeUri"] == f"functions/{folder}/"
    assert {path.parent.name for path in (ROOT / "functions").glob("*/app.py")} == set(DOORS.values())
    assert {path.stem for path in (ROOT / "events").glob("*.json") if not path.stem.startswith("execute_plan")} == set(
        DOORS.values()
    )
    tested = {path.stem.removeprefix("test_") for path in (ROOT / "tests" / "functions").glob("test_*.py")}
    assert set(DOORS.values()) <= tested


@pytest.mark.parametrize("folder", DOORS.values())
def test_a_handler_calls_the_function_named_after_its_folder(folder: str) -> None:
    """The handler calls a function of the folder's name, which takes the ports as an argument."""
    tree = ast.parse((ROOT / "functions" / folder / "app.py").read_text())
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert "lambda_handler" in functions
    assert "ports" in {argument.arg for argument in functions[folder].args.args}


@pytest.mark.parametrize("folder", STEPS.values())
def test_a_sample_event_has_the_machines_fields(folder: str) -> None:
    event = json.loads((ROOT / "events" / f"{folder}.json").read_text())
    found = {"run_id", "epoch", "first_turn", "step_seconds", "turn"}
    handed = {"input", "execution", "started_at"} if folder == "open_run" else found
    assert handed <= set(event)


def python_files(*folders: Path) -> list[Path]:
    return sorted(path for folder in folders for path in folder.rglob("*.py"))


def imported(path: Path) -> set[str]:
    """The dotted names that a file imports, at any depth; `from a import b` counts as a and as a.b."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def reaching(path: Path, *packages: str) -> list[str]:
    """The imports of a file from these packages."""
    return sorted(name for name in imported(path) for package in packages if f"{name}.".startswith(f"{package}."))


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", python_files(LAYER / "domain"), ids=shown)
def test_the_domain_imports_only_the_domain(path: Path) -> None:
    assert set(reaching(path, "repeg")) - set(reaching(path, "repeg.domain")) == set()
    assert reaching(path, *WORLD, *SURROUNDINGS, "requests") == []


@pytest.mark.parametrize("path", [*python_files(LAYER / "workflow"), *PORTS], ids=shown)
def test_the_workflow_imports_no_adapter(path: Path) -> None:
    edges = ("repeg.adapters", "repeg.wiring", "repeg.lambda_step")
    assert reaching(path, *WORLD, *SURROUNDINGS, *edges, "requests") == []


@pytest.mark.parametrize("path", python_files(LAYER / "adapters"), ids=shown)
def test_adapters_import_no_workflow(path: Path) -> None:
    assert reaching(path, "repeg.workflow", "repeg.wiring", "repeg.lambda_step", "functions") == []


@pytest.mark.parametrize("path", python_files(*DEPLOYED), ids=shown)
def test_deployed_code_does_not_import_the_workbench(path: Path) -> None:
    assert reaching(path, "repeg_workbench", "tests", "moto", "numpy", "pandas") == []


@pytest.mark.parametrize("path", python_files(ROOT / "functions"), ids=shown)
def test_a_step_imports_no_adapter(path: Path) -> None:
    assert reaching(path, "repeg.adapters", "alpaca", "boto3", "botocore", "functions") == []


@pytest.mark.parametrize("path", python_files(LAYER), ids=shown)
def test_the_layer_imports_no_step(path: Path) -> None:
    assert reaching(path, "functions", "app") == []


def test_only_the_alpaca_adapter_imports_alpaca() -> None:
    knowing = {path.relative_to(LAYER).as_posix() for path in python_files(LAYER) if reaching(path, "alpaca")}
    assert {Path(name).parent.as_posix() for name in knowing} <= {"adapters/alpaca"}


@pytest.mark.parametrize("path", python_files(ROOT / "repeg_workbench" / "exchange"), ids=shown)
def test_the_simulated_exchange_does_not_import_the_program(path: Path) -> None:
    """The exchange checks the program, so it must not share its code."""
    assert reaching(path, "repeg", "functions", "alpaca") == []


def reached(path: Path) -> set[str]:
    """The modules of the layer that a file imports, directly or by one of them."""
    found: set[str] = set()
    waiting = [path]
    while waiting:
        for name in set(reaching(waiting.pop(), "repeg")) - found:
            found.add(name)
            module = LAYER.parent / f"{name.replace('.', '/')}.py"
            waiting += [module] if module.exists() else []
    return found


@pytest.mark.parametrize("folder", sorted(set(DOORS.values()) - {"write_page"}))
def test_a_step_that_trades_imports_no_page_and_no_reader(folder: str) -> None:
    """Its container would start later for what only pages need."""
    names = reached(ROOT / "functions" / folder / "app.py")
    assert "repeg.domain.order_ids" in names
    pages = ("repeg.adapters.pages", "repeg.adapters.journal", "repeg.domain.run_page", "repeg.page_")
    assert [name for name in sorted(names) if name.startswith(pages)] == []


def test_no_module_has_a_generic_name() -> None:
    assert [shown(path) for path in python_files(*OURS) if NAMELESS & {path.stem, path.parent.name}] == []


def test_the_import_check_detects_a_forbidden_import(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text("import boto3.session\nfrom repeg import wiring\n\ndef late() -> None:\n    import osprey\n")
    assert reaching(wrong, "boto3", "repeg.wiring", "os") == ["boto3.session", "repeg.wiring"]


def model_copies(path: Path) -> Iterator[ast.Call]:
    """The calls of `model_copy` in a file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "model_copy":
            yield node


def test_values_are_changed_only_by_their_own_methods() -> None:
    """Neither mypy nor pydantic checks the names and types that `model_copy` is given."""
    outside = [path for path in python_files(*DEPLOYED) if LAYER / "domain" not in path.parents]
    assert [f"{shown(path)}:{call.lineno}" for path in outside for call in model_copies(path)] == []
    for path in python_files(LAYER / "domain"):
        owners = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.ClassDef)]
        inside = {call.lineno for owner in owners for call in ast.walk(owner) if isinstance(call, ast.Call)}
        assert [f"{shown(path)}:{call.lineno}" for call in model_copies(path) if call.lineno not in inside] == []


def test_a_changed_value_names_declared_fields() -> None:
    for path in python_files(LAYER / "domain"):
        for owner in (node for node in ast.parse(path.read_text()).body if isinstance(node, ast.ClassDef)):
            declared = {each.target.id for each in owner.body if isinstance(each, ast.AnnAssign)
                        and isinstance(each.target, ast.Name)}  # fmt: skip
            literal = [key.value for node in ast.walk(owner) if isinstance(node, ast.Dict) for key in node.keys
                       if isinstance(key, ast.Constant)]  # fmt: skip
            if any(call for call in model_copies(path)) and literal:
                assert set(literal) <= declared, f"{shown(path)}: {owner.name}"


def functions_in(path: Path) -> Iterator[tuple[str, int]]:
    """Each function of a file with its number of lines, without decorators and docstring."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
            assert node.end_lineno is not None
            yield f"{shown(path)}:{node.name}", node.end_lineno - body[0].lineno + 1


def too_long(lengths: dict[str, int], limit: int) -> dict[str, int]:
    return {name: length for name, length in lengths.items() if length > limit}


def ratcheted(found: dict[str, int], recorded: dict[str, int]) -> list[str]:
    """Entries that exceed their limit or recorded length, and records no longer needed."""
    grown = [f"{name}: {length}" for name, length in found.items() if length > recorded.get(name, 0)]
    return grown + [f"{name}: not long any more" for name in recorded if name not in found]


def test_no_file_exceeds_its_length_limit() -> None:
    written_code = python_files(*DEPLOYED, ROOT / "repeg_workbench")
    code = {shown(path): len(path.read_text().splitlines()) for path in written_code}
    tests = {shown(path): len(path.read_text().splitlines()) for path in python_files(ROOT / "tests")}
    found = too_long(code, LONGEST_FILE) | too_long(tests, LONGEST_TEST_FILE)
    assert ratcheted(found, LONG_FILES) == []


def test_no_function_exceeds_its_length_limit() -> None:
    lengths = {name: length for path in python_files(*OURS) for name, length in functions_in(path)}
    assert ratcheted(too_long(lengths, LONGEST_FUNCTION), LONG_FUNCTIONS) == []


def test_the_length_check_detects_growth_and_obsolete_records() -> None:
    recorded = {"a.py": 300, "b.py": 300}
    assert ratcheted({"a.py": 301, "c.py": 251}, recorded) == ["a.py: 301", "c.py: 251", "b.py: not long any more"]
    assert ratcheted({"a.py": 299, "b.py": 300}, recorded) == []


def names_of_tests(path: Path) -> list[str]:
    nodes = ast.walk(ast.parse(path.read_text()))
    functions = [node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [name for name in functions if name.startswith("test_")]


def without_subject(names: list[str]) -> list[str]:
    """Test names whose subject is a pronoun."""
    return [name for name in names if name.split("_")[1] in PRONOUNS]


@pytest.mark.parametrize("path", python_files(ROOT / "tests"), ids=shown)
def test_every_test_name_is_short_and_has_a_named_subject(path: Path) -> None:
    names = names_of_tests(path)
    assert [name for name in names if len(name) > LONGEST_TEST_NAME] == []
    assert without_subject(names) == []


def test_the_name_check_detects_a_pronoun() -> None:
    assert without_subject(["test_what_rests_is_cancelled", "test_an_item_is_new"]) == ["test_what_rests_is_cancelled"]
