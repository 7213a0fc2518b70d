from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from wharf.daemon.addresses import TcpAddress, UnixAddress
from wharf.daemon.configuration import Configuration, changes, configure, merged, reloaded
from wharf.daemon.settings import Value
from wharf.engine.options import BUILD_RULES, BuildRule, ContainerDefaults
from wharf.errors import InvalidArgument


def written(folder: Path, document: object) -> Path:
    path = folder / "daemon.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def test_file_and_flags_are_told_together(tmp_path: Path) -> None:
    found = configure({"debug": ["true"]}, written(tmp_path, {"labels": ["a=b"], "default-shm-size": "1m"}))
    options = found.engine_options()

    assert (found.level, options.labels, options.debug) == ("debug", ("a=b",), True)
    assert options.containers == ContainerDefaults(shm_size_bytes=1024 * 1024)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"zeal": 1, "anger": 2}, "the following directives don't match any configuration option: anger, zeal"),
        ({"debug": "yes"}, 'invalid value for "debug": expected true or false'),
        ("[]", "invalid JSON: it is not an object"),
        ("{", "invalid JSON: Expecting property name"),
        ({"storage-driver": "zfs"}, 'invalid value "zfs"'),
    ],
)
def test_file_that_cannot_be_honoured_is_refused(tmp_path: Path, document: object, words: str) -> None:
    path = written(tmp_path, document)
    with pytest.raises(InvalidArgument) as refused:
        configure({}, path)

    assert str(refused.value).startswith(f"unable to configure the daemon with file {path}: {words}")


def test_empty_file_says_nothing(tmp_path: Path) -> None:
    assert configure({}, written(tmp_path, "")) == Configuration({})


def test_proxies_stand_where_dockerd_has_them(tmp_path: Path) -> None:
    found = configure({}, written(tmp_path, {"proxies": {"http-proxy": "http://p:1", "no-proxy": "a,b"}}))
    registries = found.engine_options().registries

    assert (registries.http_proxy, registries.https_proxy, registries.no_proxy) == ("http://p:1", "", "a,b")


@pytest.mark.parametrize("proxies", ["http://p:1", {"ftp-proxy": "http://p:1"}])
def test_proxies_of_another_kind_are_refused(tmp_path: Path, proxies: object) -> None:
    with pytest.raises(InvalidArgument, match="proxies: it is to be an object of http-proxy, https-proxy, no-proxy"):
        configure({}, written(tmp_path, {"proxies": proxies}))


def test_a_plugin_that_is_named_twice_is_asked_once() -> None:
    options = Configuration({"authorization-plugins": ("a", "b", "a")}).engine_options()

    assert options.authorization == ("a", "b")


def test_what_logs_in_to_a_proxy_is_not_told() -> None:
    with pytest.raises(InvalidArgument) as refused:
        merged({"http-proxy": "http://me:secret@p"}, {"proxies": {"http-proxy": "http://me:secret@q"}})

    assert str(refused.value).endswith(
        "http-proxy: (from flag: http://xxxxx:xxxxx@p, from file: http://xxxxx:xxxxx@q)"
    )


def test_setting_in_both_places_is_refused() -> None:
    with pytest.raises(InvalidArgument) as refused:
        merged({"debug": True, "dns": ("192.0.2.1",)}, {"debug": False, "dns": []})

    assert str(refused.value) == (
        "the following directives are specified both as a flag and in the configuration file: "
        "debug: (from flag: true, from file: false), dns: (from flag: [192.0.2.1], from file: [])"
    )


def test_listens_on_the_usual_socket_unless_told() -> None:
    assert Configuration({}).addresses() == [UnixAddress(Path("/run/wharf/wharf.sock"))]
    verified = Configuration({"hosts": ("tcp://0.0.0.0:2376",), "tlsverify": True})
    assert verified.addresses() == [TcpAddress("0.0.0.0", 2376)]


def test_tls_without_verification_trusts_nobody() -> None:
    tls = Configuration({"tls": True, "tlscert": "/c.pem"}).tls

    assert tls is not None
    assert (tls.authority, tls.certificate) == (None, Path("/c.pem"))
    assert Configuration({}).tls is None


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"labels": ("nonsense",)}, "bad attribute format: nonsense"),
        ({"labels": ("a=b", "c=d", "a=c")}, "conflict labels for a=c and a=b"),
        (
            {"default-ulimits": ({"Name": "nofile", "Soft": 5, "Hard": 3},)},
            "ulimit soft limit must be less than or equal to hard limit: 5 > 3",
        ),
        ({"default-ulimits": ({"Name": "nofoo", "Soft": 5, "Hard": 5},)}, "invalid ulimit type: nofoo"),
        ({"seccomp-profile": "/proc/nonexistent"}, "seccomp-profile: /proc/nonexistent: no such file"),
        ({"default-stop-timeout": -1}, "cannot be negative"),
        ({"default-runtime": "crun"}, "specified default runtime 'crun' does not exist"),
        ({"runtimes": {"runc": {"path": "sh", "runtimeArgs": ()}}}, "runtime name 'runc' is reserved"),
        ({"runtimes": {"x": {"path": "/nope", "runtimeArgs": ()}}}, "x: /nope is no program that can be executed"),
    ],
)
def test_setting_that_cannot_be_is_refused(values: dict[str, Value], words: str) -> None:
    with pytest.raises(InvalidArgument, match=words):
        Configuration(values).engine_options()


def test_other_runtimes_are_programs_by_name() -> None:
    flags = configure({"runtimes": ["other=sh"], "default-runtime": ["other"]}, None).engine_options().runtimes

    assert flags.default == "other"
    assert flags.others == {"other": {"path": shutil.which("sh"), "arguments": []}}


def test_reload_takes_what_may_change_and_names_the_rest() -> None:
    old = Configuration({"debug": False, "data-root": "/a", "labels": ("a=b",)})
    new = Configuration({"debug": True, "data-root": "/b"})

    assert changes(old, new) == (["debug", "labels"], ["data-root"])
    assert reloaded(old, new) == Configuration({"debug": True, "data-root": "/a"})


@pytest.mark.parametrize(
    ("said", "allowed"),
    [
        ({}, {"network.host"}),
        ({"security-insecure": True}, {"network.host", "security.insecure"}),
        ({"network-host": False}, set()),
    ],
)
def test_builds_may_be_granted_what_dockerd_allows(said: Mapping[str, object], allowed: set[str]) -> None:
    assert Configuration({"builder": {"entitlements": said}}).engine_options().entitlements == allowed


def test_as_much_is_kept_of_builds_as_is_said() -> None:
    assert Configuration({}).engine_options().build_rules == BUILD_RULES
    rules = (BuildRule(5),)
    said = {"entitlements": {}, "rules": rules, "entries": 3, "age_ns": 7}
    options = Configuration({"builder": said}).engine_options()
    assert (options.build_rules, options.build_records, options.build_records_ns) == (rules, 3, 7)
    assert Configuration({"builder": {"entitlements": {}, "rules": None}}).engine_options().build_rules is None


@pytest.mark.parametrize(
    ("told", "folders"),
    [
        ({}, ["/etc/cdi", "/var/run/cdi"]),
        ({"cdi-spec-dirs": ("/a", "/b")}, ["/a", "/b"]),
        ({"cdi-spec-dirs": ("",)}, []),
    ],
)
def test_devices_are_looked_for_where_it_is_said(told: Mapping[str, Value], folders: list[str]) -> None:
    assert [str(each) for each in Configuration(told).engine_options().device_folders] == folders


def test_the_init_that_is_named_is_told_to_containers() -> None:
    assert Configuration({"init-path": "/opt/init"}).engine_options().containers.init_path == "/opt/init"


def test_containers_own_layers_have_the_size_that_is_said_unless_they_say_another() -> None:
    defaults = Configuration({"storage-opts": ("overlay2.size=1G",)}).engine_options().containers

    assert defaults.fill({})["StorageOpt"] == {"size": "1G"}
    assert defaults.fill({"StorageOpt": {"size": "2G"}})["StorageOpt"] == {"size": "2G"}


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"storage-opts": ("dm.basesize=10G",)}, "dm.basesize is not supported here: there is only overlay2.size"),
        ({"storage-opts": ("overlay2.size=0",)}, "overlay2.size: invalid size: '0'"),
        (
            {"storage-opts": ("overlay2.size=1G",), "storage-driver": "btrfs"},
            "an option of another driver than btrfs",
        ),
        ({"bridge-accept-fwmark": "many"}, "invalid firewall mark 'many'"),
    ],
)
def test_an_option_that_cannot_be_is_refused_by_name(told: Mapping[str, Value], message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        Configuration(told).engine_options()
