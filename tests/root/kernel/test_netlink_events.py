from __future__ import annotations

import select
import subprocess
from collections.abc import Iterator

import pytest

from wharf.kernel import netlink_events, rtnetlink
from wharf.kernel.netlink import Rtnetlink
from wharf.kernel.netlink_events import FirewallEvents, LinkEvents, Lost, Torn
from wharf.kernel.nftables import Nftables

pytestmark = pytest.mark.root

_TABLE = {"family": "inet", "name": "probe"}


@pytest.fixture
def firewall() -> Iterator[FirewallEvents]:
    events = FirewallEvents()
    yield events
    events.close()


def _wait(events: FirewallEvents | LinkEvents) -> None:
    poll = select.poll()
    poll.register(events.fileno(), select.POLLIN)
    assert poll.poll(60_000)


def test_deletion_of_another_program_is_told_with_its_name(firewall: FirewallEvents) -> None:
    subprocess.run(["nft", "add table inet probe; delete table inet probe"], check=True)
    _wait(firewall)
    (torn,) = firewall.read()

    assert (torn.table, torn.by.startswith("nft (")) == ("probe", True)
    assert torn.port not in netlink_events.own_firewall_ports()
    assert firewall.read() == []


def test_own_deletion_is_known_by_its_port(firewall: FirewallEvents) -> None:
    own = Nftables()
    try:
        own.run([{"add": {"table": _TABLE}}, {"delete": {"table": _TABLE}}])
        _wait(firewall)
        found = firewall.read()

        assert [(torn.table, torn.port in netlink_events.own_firewall_ports()) for torn in found] == [("probe", True)]
        assert isinstance(found[0], Torn)
    finally:
        own.close()


def test_reader_that_is_too_slow_is_told_so(firewall: FirewallEvents) -> None:
    own = Nftables()
    try:
        elements = ", ".join(map(str, range(1, 20000)))
        for _ in range(3):
            own.run_script(
                "table inet probe {\n\tset ports {\n\t\ttype inet_service\n"
                f"\t\telements = {{ {elements} }}\n\t}}\n}}\ndelete table inet probe\n"
            )
        with pytest.raises(Lost):
            firewall.read()
    finally:
        own.close()


def test_deleted_link_is_told_by_its_index() -> None:
    events = LinkEvents()
    try:
        with Rtnetlink() as host:
            host.execute(rtnetlink.new_bridge("probe0", mac="02:42:00:00:00:01"))
            link = host.link("probe0")
            assert link
            host.execute(rtnetlink.delete_link("probe0"))
        _wait(events)

        assert events.read() == [link.number]
    finally:
        events.close()
