from __future__ import annotations

from tests.fakes.compose import project

from wharf.compose.create.document import Make, Others, container_document
from wharf.compose.plan.observed import Container

OTHERS = Others(lambda service: f"id-of-{service}", lambda service: [f"app-{service}-1"], lambda _: b"{}")


def document(service: str, make: Make | None = None, more: str = "") -> dict[str, object]:
    app = project(f"services: {{a: {service}, b: {{image: y}}}}\n{more}")
    return container_document(app, app.services["a"], make or Make(number=1), OTHERS)


def host(service: str) -> dict[str, object]:
    found = document(service)["HostConfig"]
    assert isinstance(found, dict)
    return found


def test_process_is_what_the_service_says() -> None:
    found = document(
        "{image: x, command: [run], entrypoint: [/init], user: '1:2', working_dir: /w, tty: true, stdin_open: true,"
        " hostname: h, domainname: d, environment: {B: 2, A: 1, C: null}, stop_signal: INT,"
        " stop_grace_period: 1500ms}"
    )

    assert (found["Cmd"], found["Entrypoint"], found["Image"], found["User"]) == (["run"], ["/init"], "x", "1:2")
    assert (found["Env"], found["WorkingDir"], found["Tty"], found["OpenStdin"]) == (
        ["A=1", "B=2", "C"],
        "/w",
        True,
        True,
    )
    assert (found["Hostname"], found["Domainname"]) == ("h", "d")
    assert (found["StopSignal"], found["StopTimeout"]) == ("INT", 2)


def test_labels_tell_of_the_image_and_of_what_is_replaced() -> None:
    old = Container("1" * 64, "app-a-1", "a", 1, "running")
    labels = document("{image: x}", Make(number=3, inherit=old, image_id="sha256:1", labels=(("k", "v"),)))["Labels"]

    assert isinstance(labels, dict)
    assert labels["com.docker.compose.container-number"] == "3"
    assert labels["com.docker.compose.image"] == "sha256:1"
    assert labels["com.docker.compose.replace"] == "app-a-1"
    assert labels["k"] == "v"


def test_health_check_of_each_form() -> None:
    check = "{test: [CMD, x], interval: 1s, timeout: 2s, retries: 3, start_period: 4s, start_interval: 5s}"
    assert document(f"{{image: x, healthcheck: {check}}}")["Healthcheck"] == {
        "Test": ["CMD", "x"], "Interval": 10**9, "Timeout": 2 * 10**9, "Retries": 3, "StartPeriod": 4 * 10**9,
        "StartInterval": 5 * 10**9,
    }  # fmt: skip
    assert document("{image: x, healthcheck: {disable: true}}")["Healthcheck"] == {"Test": ["NONE"]}
    assert "Healthcheck" not in document("{image: x}")


def test_namespaces_of_services_are_those_of_their_containers() -> None:
    found = host("{image: x, ipc: 'service:b', pid: host, uts: host, network_mode: 'service:b', cgroup: private}")

    assert (found["IpcMode"], found["PidMode"], found["UTSMode"]) == ("container:id-of-b", "host", "host")
    assert (found["NetworkMode"], found["CgroupnsMode"]) == ("container:id-of-b", "private")


def test_host_configuration_has_what_is_said_and_nothing_else() -> None:
    assert host("{image: x, network_mode: host}") == {"NetworkMode": "host"}
    found = host(
        "{image: x, cap_add: [A], cap_drop: [B], dns: 1.1.1.1, dns_search: d, dns_opt: [o], extra_hosts:"
        " ['h:1.1.1.1'],"
        " privileged: true, read_only: true, sysctls: {k: 1}, security_opt: ['label:disable',"
        " 'seccomp=x'], init: false,"
        " group_add: [g], oom_score_adj: 5, shm_size: 1m, storage_opt: {size: 1G}, volumes_from:"
        " ['b:ro', 'container:z'],"
        " logging: {driver: none, options: {a: b}}, userns_mode: host, runtime: r, annotations: {a: b},"
        " tmpfs: '/t:size=1m'}"
    )
    assert found == {
        "CapAdd": ["A"], "CapDrop": ["B"], "Dns": ["1.1.1.1"], "DnsSearch": ["d"], "DnsOptions": ["o"],
        "ExtraHosts": ["h:1.1.1.1"], "Privileged": True, "ReadonlyRootfs": True, "Sysctls": {"k": "1"},
        "SecurityOpt": ["label:disable", "seccomp={}"], "Init": False, "GroupAdd": ["g"], "OomScoreAdj": 5,
        "ShmSize": 1 << 20, "StorageOpt": {"size": "1G"}, "VolumesFrom": ["id-of-b:ro", "z"], "UsernsMode": "host",
        "LogConfig": {"Type": "none", "Config": {"a": "b"}}, "Runtime": "r", "NetworkMode": "app_default",
        "Annotations": {"a": "b"}, "Tmpfs": {"/t": "size=1m"},
    }  # fmt: skip
