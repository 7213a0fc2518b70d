from __future__ import annotations

import pytest
from tests.fakes.compose import project

from wharf.compose.load.located import ComposeError

_LIMITED = """\
services:
  a:
    image: x
    blkio_config: {weight_device: [{path: /a, weight: "5"}], device_%s: %s}
"""


def test_limits_of_devices_are_printed_as_docker_compose_prints_them() -> None:
    found = project(_LIMITED % ("read_bps", "[{path: /b, rate: 12mb}, {path: /c, rate: 7}]")).services["a"]
    assert found.blkio_config is not None

    assert found.blkio_config.printed() == {
        "weight_device": [{"path": "/a", "weight": 5}],
        "device_read_bps": [{"path": "/b", "rate": "12582912"}, {"path": "/c", "rate": "7"}],
    }
    assert found.blkio_config.printed(as_json=True) == {
        "weight_device": [{"Path": "/a", "Weight": 5}],
        "device_read_bps": [{"Path": "/b", "Rate": "12582912"}, {"Path": "/c", "Rate": "7"}],
    }


def test_a_rate_that_is_no_size_is_refused_with_its_place() -> None:
    with pytest.raises(ComposeError, match=r"compose\.yaml:4: .*12xb"):
        project(_LIMITED % ("write_bps", "[{path: /b, rate: 12xb}]"))
