"""Standard output and environment variables during and after an engine."""

from __future__ import annotations

import logging
import os
import sys

import pytest

from repeg_workbench.engine.surroundings import inside, separated, with_variables


def test_a_logger_writes_to_the_function_that_is_running(capsys: pytest.CaptureFixture[str]) -> None:
    first: list[str] = []
    second: list[str] = []
    with separated(), inside({}, first.append):
        handler = logging.StreamHandler(sys.stdout)
    record = logging.makeLogRecord({"msg": "hold"})
    with separated(), inside({}, second.append):
        handler.emit(record)
    handler.emit(record)
    assert (first, "".join(second)) == ([], "hold\n")
    assert capsys.readouterr().out == "hold\n"


def test_standard_output_is_restored_after_the_engine() -> None:
    before = sys.stdout
    with separated():
        assert sys.stdout is not before
    assert sys.stdout is before


def test_a_function_sees_real_variables_and_its_writes_stay_private() -> None:
    real = len(os.environ)
    with separated(), with_variables({"SHARED": "real"}):
        with inside({"OWN": "mine"}, print):
            os.environ["SHARED"] = "changed"
            assert (os.environ["OWN"], os.getenv("SHARED")) == ("mine", "changed")
            assert len(os.environ) == real + 2
            del os.environ["OWN"]
            assert "OWN" not in os.environ
        assert os.environ["SHARED"] == "real"
    assert "SHARED" not in os.environ
    assert len(os.environ) == real


def test_replaced_variables_are_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    with with_variables({"AWS_REGION": "us-east-1"}):
        assert os.environ["AWS_REGION"] == "us-east-1"
    assert os.environ["AWS_REGION"] == "eu-west-1"
