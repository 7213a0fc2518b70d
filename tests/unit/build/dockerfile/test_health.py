from __future__ import annotations

import pytest

from wharf.build.dockerfile.health import health_check
from wharf.build.dockerfile.parser import parse
from wharf.errors import InvalidArgument
from wharf.spec.oci_image import Healthcheck


def _of(text: str) -> Healthcheck:
    return health_check(parse(text).statements[0])


def test_a_check_has_a_command_and_times() -> None:
    found = _of("HEALTHCHECK --interval=5s --timeout=1m --start-period=1s --start-interval=2s --retries=4 CMD a b")

    assert found == {
        "Test": ["CMD-SHELL", "a b"],
        "Interval": 5_000_000_000,
        "Timeout": 60_000_000_000,
        "StartPeriod": 1_000_000_000,
        "StartInterval": 2_000_000_000,
        "Retries": 4,
    }
    assert _of('HEALTHCHECK CMD ["a"]') == {"Test": ["CMD", "a"]}
    assert _of("HEALTHCHECK none") == {"Test": ["NONE"]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("HEALTHCHECK NONE x", "HEALTHCHECK NONE takes no arguments"),
        ("HEALTHCHECK x", 'Unknown type "X" in HEALTHCHECK (try CMD)'),
        ("HEALTHCHECK CMD", "Missing command after HEALTHCHECK CMD"),
        ("HEALTHCHECK --interval=1us CMD x", 'Interval "interval" cannot be less than 1ms'),
        ("HEALTHCHECK --retries=-1 CMD x", "--retries cannot be negative (-1)"),
        ("HEALTHCHECK --retries=a CMD x", 'strconv.ParseInt: parsing "a": invalid syntax'),
    ],
)
def test_what_a_check_cannot_be_is_refused(text: str, said: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        _of(text)

    assert str(caught.value) == said
