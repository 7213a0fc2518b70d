from __future__ import annotations

import pytest

from wharf.engine.logs.options import (
    Address,
    Rotation,
    check,
    delivers,
    facility,
    fluentd_address,
    gelf_address,
    is_plugin,
    most_waiting_bytes,
    readable,
    reconnect_ns,
    remarks,
    rotation,
    syslog_address,
    waits,
    write_timeout_s,
)
from wharf.errors import InvalidArgument

MIB = 1 << 20
KEPT = "what a receiver has not taken stays in the container's log file"


@pytest.mark.parametrize(
    ("driver", "options", "said"),
    [
        ("json-file", {"gelf-address": "x"}, "unknown log opt 'gelf-address' for json-file log driver"),
        ("none", {"max-size": "1m"}, "unknown log opt 'max-size' for none log driver"),
        ("local", {"mode": "odd"}, "logging mode not supported: odd"),
        ("local", {"max-buffer-size": "1m"}, "only supported with 'mode=non-blocking'"),
        ("json-file", {"max-file": "0"}, "max-file cannot be less than 1"),
        ("json-file", {"max-size": "1m", "compress": "true"}, "compress cannot be true"),
        ("json-file", {"compress": "maybe"}, "true or false"),
        ("json-file", {"labels-regex": "("}, "invalid log opt labels-regex"),
        ("gelf", {}, "gelf-address is a required parameter"),
        ("gelf", {"gelf-address": "udp://h:1", "gelf-compression-type": "lz"}, "unknown value 'lz'"),
        ("gelf", {"gelf-address": "udp://h:1", "gelf-compression-level": "12"}, "unknown value '12'"),
        ("gelf", {"gelf-address": "udp://h:1", "gelf-tcp-max-reconnect": "2"}, "TCP address only"),
        ("gelf", {"gelf-address": "http://h:1"}, "unsupported scheme"),
        ("syslog", {"syslog-format": "rfc1"}, "Invalid syslog format"),
        ("syslog", {"syslog-facility": "cloud"}, "invalid syslog facility: cloud"),
        ("syslog", {"syslog-address": "tcp://h:99999"}, "invalid log address"),
        ("fluentd", {"fluentd-async": "2"}, "invalid value for log opt fluentd-async"),
        ("fluentd", {"fluentd-address": "unix://x"}, "absolute"),
        ("fluentd", {"fluentd-buffer-limit": "x"}, "invalid size: 'x'"),
        ("fluentd", {"fluentd-async-reconnect-interval": "1m"}, "it is from 100ms to 10s"),
        ("fluentd", {"fluentd-write-timeout": "-1s"}, "value must be a duration that is non-negative"),
        ("syslog", {"syslog-address": "h:514"}, "syslog-address should be in form proto://address, got h:514"),
        ("gelf", {"gelf-address": "udp://h"}, "give it as udp://host:port"),
    ],
)
def test_what_cannot_be_is_refused(driver: str, options: dict[str, str], said: str) -> None:
    with pytest.raises(InvalidArgument, match=said):
        check(driver, options)


def test_what_is_no_driver_of_ours_may_be_a_plugin_with_options_of_its_own() -> None:
    check("splunk", {"splunk-token": "t", "cache-max-size": "1m"})
    assert is_plugin("splunk")
    assert delivers("splunk")
    assert rotation("splunk", {"cache-max-size": "1m", "max-size": "5m"}).max_size_bytes == 1 << 20
    with pytest.raises(InvalidArgument, match="logging mode not supported"):
        check("splunk", {"mode": "sometimes"})
    assert not is_plugin("")
    assert not is_plugin("syslog")
    assert not delivers("local")


@pytest.mark.parametrize(
    ("driver", "options"),
    [
        ("", {}),
        ("json-file", {"max-size": "10m", "max-file": "3", "labels": "a", "env-regex": "^X", "tag": "{{.Name}}"}),
        ("local", {"max-size": "10m", "compress": "false", "mode": "non-blocking", "max-buffer-size": "4m"}),
        ("syslog", {"syslog-address": "udp://127.0.0.1:514", "syslog-facility": "local7", "cache-disabled": "true"}),
        ("gelf", {"gelf-address": "tcp://h:12201", "gelf-tcp-max-reconnect": "2"}),
        ("fluentd", {"fluentd-async": "true", "fluentd-async-reconnect-interval": "200ms"}),
        ("fluentd", {"fluentd-buffer-limit": "1m"}),
        ("fluentd", {"fluentd-address": "h:24224", "fluentd-retry-wait": "1s", "fluentd-max-retries": "3"}),
    ],
)
def test_what_docker_takes_is_taken(driver: str, options: dict[str, str]) -> None:
    check(driver, options)


@pytest.mark.parametrize(
    ("driver", "options", "expected"),
    [
        ("json-file", {}, Rotation(20 * MIB, 5, compress=False)),
        ("json-file", {"max-size": "1m"}, Rotation(MIB, 1, compress=False)),
        ("json-file", {"max-size": "1m", "max-file": "3", "compress": "true"}, Rotation(MIB, 3, compress=True)),
        ("json-file", {"max-size": "-1"}, Rotation(0, 1, compress=False)),
        ("local", {}, Rotation(20 * MIB, 5, compress=True)),
        ("local", {"max-file": "1"}, Rotation(20 * MIB, 1, compress=False)),
        ("syslog", {"cache-max-size": "1m"}, Rotation(MIB, 5, compress=False)),
    ],
)
def test_every_file_is_rotated(driver: str, options: dict[str, str], expected: Rotation) -> None:
    assert rotation(driver, options) == expected


def test_where_messages_go() -> None:
    assert syslog_address({}) == Address("unixgram", "/dev/log")
    assert syslog_address({"syslog-address": "tcp://h"}) == Address("tcp", "h", 514)
    assert gelf_address({"gelf-address": "udp://[::1]:9"}) == Address("udp", "::1", 9)
    assert fluentd_address({}) == Address("tcp", "127.0.0.1", 24224)
    assert fluentd_address({"fluentd-address": "h:9"}) == Address("tcp", "h", 9)
    assert fluentd_address({"fluentd-address": "unix:///run/f.sock"}) == Address("unix", "/run/f.sock")


def test_connection_to_fluentd_is_renewed_where_it_is_asynchronous() -> None:
    given = {"fluentd-async-reconnect-interval": "200ms"}

    assert (reconnect_ns({}), reconnect_ns(given)) == (0, 0)
    assert reconnect_ns({**given, "fluentd-async": "true"}) == 200_000_000


@pytest.mark.parametrize(
    ("driver", "options", "said"),
    [
        (
            "fluentd",
            {"fluentd-buffer-limit": "1m"},
            [f"log opt fluentd-buffer-limit changes nothing: {KEPT}"],
        ),
        (
            "json-file",
            {"mode": "non-blocking", "max-buffer-size": "1m"},
            ["log opt max-buffer-size changes nothing: lines are written to the log file at once"],
        ),
        ("syslog", {"mode": "non-blocking", "max-buffer-size": "1m"}, []),
        ("syslog", {"mode": "blocking"}, []),
        ("json-file", {"mode": "blocking", "tag": "x"}, []),
    ],
)
def test_option_that_changes_nothing_is_told(driver: str, options: dict[str, str], said: list[str]) -> None:
    assert remarks(driver, options) == said


@pytest.mark.parametrize(
    ("driver", "options", "expected"),
    [
        ("syslog", {}, True),
        ("gelf", {"mode": "blocking"}, True),
        ("journald", {"mode": "non-blocking"}, False),
        ("fluentd", {}, True),
        ("fluentd", {"fluentd-async": "false"}, True),
        ("fluentd", {"fluentd-async": "true", "mode": "blocking"}, False),
        ("json-file", {"mode": "blocking"}, False),
        ("local", {}, False),
        ("none", {}, False),
    ],
)
def test_container_waits_for_a_receiver_unless_it_is_told_not_to(
    driver: str, options: dict[str, str], expected: bool
) -> None:
    assert waits(driver, options) is expected


def test_what_may_wait_is_bounded_where_that_is_said() -> None:
    assert (most_waiting_bytes({}), most_waiting_bytes({"max-buffer-size": "4m"})) == (None, 4 * MIB)


def test_fluentd_takes_its_time_unless_that_is_bounded() -> None:
    assert [write_timeout_s({}), write_timeout_s({"fluentd-write-timeout": "1500ms"})] == [None, 1.5]


def test_facilities_by_name_and_number() -> None:
    assert [facility({}), facility({"syslog-facility": "local0"}), facility({"syslog-facility": "4"})] == [3, 16, 4]


def test_what_can_be_read_back() -> None:
    assert readable("syslog", {})
    assert not readable("none", {})
    assert not readable("gelf", {"cache-disabled": "true"})
