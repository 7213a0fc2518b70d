from __future__ import annotations

import pytest

from wharf.errors import InvalidArgument
from wharf.network.driver import HostDriver, NullDriver, extended


def test_an_embedding_programs_drivers_stand_beside_our_own() -> None:
    own, made = HostDriver(), NullDriver()

    assert extended({"host": own}, {"far": lambda _: made}, "key") == {"host": own, "far": made}


def test_a_drivers_name_that_is_taken_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="network drivers of these names are there already: host"):
        extended({"host": HostDriver()}, {"host": lambda _: NullDriver()}, "key")
