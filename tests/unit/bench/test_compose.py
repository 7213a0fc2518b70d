from __future__ import annotations

import pytest
from bench.compose import text
from tests.fakes.compose import project


@pytest.mark.parametrize("services", [1, 20])
def test_file_has_so_many_services_that_load(services: int) -> None:
    found = project(text(services), variables={"HOME": "/root"})

    assert (len(found.services), len(found.volumes)) == (services, services)
    assert found.services["s0"].environment == {"A": "x0", "HOME": "/root"}
