from __future__ import annotations

import asyncio

from tests.fakes.engine import FakeEngine

from wharf.api.metrics import Family, container_families, page
from wharf.errors import Conflict
from wharf.lib.measures import Measures


def test_labels_are_escaped_and_unknown_figures_left_out() -> None:
    family = Family("things", "gauge", "Things.")
    family.add(1.5, name='a"b\\c\n')
    family.add(None, name="unknown")

    assert family.lines() == ["# HELP things Things.", "# TYPE things gauge", 'things{name="a\\"b\\\\c\\n"} 1.5']
    assert Family("empty", "gauge", "").lines() == []


def test_each_container_has_its_series() -> None:
    families = container_families(
        [
            (
                {"Id": "c0ffee", "Names": ["/web"], "Image": "shop"},
                {
                    "cpu_stats": {"cpu_usage": {"total_usage": 2_500_000_000}},
                    "memory_stats": {"usage": 4096},
                    "networks": {"eth0": {"rx_bytes": 7, "tx_bytes": 8}},
                    "blkio_stats": {"io_service_bytes_recursive": [{"op": "Read", "value": 5}]},
                },
            )
        ]
    )
    told = {line for family in families for line in family.lines() if not line.startswith("#")}
    who = 'id="c0ffee",name="web",image="shop"'

    assert told == {
        f"container_cpu_usage_seconds_total{{{who}}} 2.5",
        f"container_memory_usage_bytes{{{who}}} 4096",
        f'container_network_receive_bytes_total{{{who},interface="eth0"}} 7',
        f'container_network_transmit_bytes_total{{{who},interface="eth0"}} 8',
        f"container_fs_reads_bytes_total{{{who}}} 5",
        f"container_fs_writes_bytes_total{{{who}}} 0",
    }


def test_container_that_ended_meanwhile_has_none() -> None:
    engine = FakeEngine()
    engine.containers.answers |= {"list": [{"Id": "a", "Names": ["/a"]}], "stats": [Conflict("not running")]}
    engine.system.answers |= {"info": {"NCPU": 2, "ContainersRunning": 1}, "version": {"Version": "1"}}
    measures = Measures()
    measures.count("events")
    with measures.timed("container", "start"):
        pass
    engine.system.answers["measures"] = measures
    told = asyncio.run(page(engine))

    assert "engine_daemon_engine_cpus_cpus 2\n" in told
    assert 'engine_daemon_container_states_containers{state="running"} 1\n' in told
    assert "container_memory" not in told
    assert "engine_daemon_events_total 1\n" in told
    assert "engine_daemon_health_checks_total 0\n" in told
    assert 'engine_daemon_container_actions_seconds_bucket{action="start",le="0.005"} 1\n' in told
    assert 'engine_daemon_container_actions_seconds_bucket{action="start",le="+Inf"} 1\n' in told
    assert 'engine_daemon_container_actions_seconds_count{action="start"} 1\n' in told
    assert "# TYPE engine_daemon_container_actions_seconds histogram\n" in told
