"""What importing the corrections changes about botocore's and moto's service descriptions."""

from __future__ import annotations

from pathlib import Path

import botocore
import pytest
from botocore import session
from botocore.exceptions import UnknownServiceError
from moto.core import utils

import repeg_workbench.engine.moto_corrections  # noqa: F401 - applies the changes

LOADER = session.create_loader(None)
DATA = Path(botocore.__file__).parent / "data"


def test_a_service_is_found_without_a_list_of_all() -> None:
    services = LOADER.list_available_services("service-2")
    assert "dynamodb" in services
    assert "no-such-service" not in services
    assert set(services) == {path.parts[-3] for path in DATA.glob("*/*/service-2.json.gz")}


def test_an_unknown_service_is_refused_as_by_botocore() -> None:
    with pytest.raises(UnknownServiceError, match=r"'no-such-service'. Valid service names are: .*dynamodb"):
        LOADER.load_service_model("no-such-service", "service-2")


def test_moto_shares_the_description_of_a_service_it_adds_nothing_to() -> None:
    assert utils._load_service_model("events", "service-2") is LOADER.load_service_model("events", "service-2")


def test_moto_reads_its_own_description_of_a_service_it_adds_to() -> None:
    assert utils._load_service_model("s3", "service-2") != LOADER.load_service_model("s3", "service-2")
