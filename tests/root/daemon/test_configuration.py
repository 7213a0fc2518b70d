"""The daemon takes daemon.json, takes it again on SIGHUP, and listens where and to whom it was told."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
from tests.root.wharfd import Wharfd, until

pytestmark = pytest.mark.root
KEYS = Path(__file__).parents[2] / "data/tls"


@pytest.fixture
def stopped(daemon: Wharfd) -> Wharfd:
    daemon.end()
    return daemon


def settle(daemon: Wharfd, document: object) -> Path:
    path = daemon.root.parent / "daemon.json"
    path.write_text(json.dumps(document))
    return path


def hang_up(daemon: Wharfd, told: str) -> None:
    """Send SIGHUP, and wait until the log tells what came of it."""
    assert daemon.process is not None
    before = daemon.log.read_text().count(told)
    daemon.process.send_signal(signal.SIGHUP)
    until(lambda: daemon.log.read_text().count(told) > before)


def created(daemon: Wharfd) -> dict[str, object]:
    """Create a container that asks for nothing, and return its HostConfig."""
    made = daemon.post("/containers/create", {"Image": "busybox", "Cmd": ["true"]})
    host: dict[str, object] = daemon.get(f"/containers/{made['Id']}/json")["HostConfig"]
    return host


def test_containers_get_what_daemon_json_says(stopped: Wharfd) -> None:
    limits = {"nofile": {"Name": "nofile", "Soft": 64, "Hard": 128}}
    path = settle(stopped, {"labels": ["zone=a"], "default-ulimits": limits, "log-opts": {"max-size": "1m"}})
    stopped.start("--config-file", str(path), "--default-shm-size", "1m")
    host = created(stopped)

    assert stopped.get("/info")["Labels"] == ["zone=a"]
    assert (host["ShmSize"], host["Ulimits"], host["LogConfig"]) == (
        1024 * 1024,
        [limits["nofile"]],
        {"Type": "json-file", "Config": {"max-size": "1m"}},
    )


def test_hang_up_takes_what_is_new_and_tells_it(stopped: Wharfd) -> None:
    path = settle(stopped, {"labels": ["zone=a"]})
    stopped.start("--config-file", str(path))
    told = {"labels": ["zone=b"], "default-shm-size": "2m", "insecure-registries": ["reg:5000"]}
    settle(stopped, {**told, "registry-mirrors": ["http://m:1"], "pidfile": "/elsewhere"})
    hang_up(stopped, "another start: pidfile")

    registries = stopped.get("/info")["RegistryConfig"]
    assert (registries["Mirrors"], registries["IndexConfigs"]["reg:5000"]["Secure"]) == (["http://m:1/"], False)
    assert stopped.get("/info")["Labels"] == ["zone=b"]
    assert created(stopped)["ShmSize"] == 2 * 1024 * 1024

    settle(stopped, {"labels": ["zone=c"], "nonsense": 1})
    hang_up(stopped, "don't match any configuration option: nonsense")
    settle(stopped, {"log-driver": "json-file", "log-opts": {"nonsense": "1"}})
    hang_up(stopped, "the old one stays")

    assert stopped.get("/info")["Labels"] == ["zone=b"]
    stopped.end(signal.SIGKILL)
    stopped.start()
    happened = stopped.lines(f'/events?since=0&until={time.time()}&filters={{"type":["daemon"]}}')
    assert [(each["Action"], each["Actor"]["Attributes"]["labels"]) for each in happened] == [("reload", "[zone=b]")]


def test_tcp_is_for_clients_with_a_certificate(stopped: Wharfd) -> None:
    docker = shutil.which("docker")
    if docker is None:
        pytest.skip("there is no docker command: scripts/docker-cli prints the path of one to put on PATH")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    files = {"tlscacert": "ca.pem", "tlscert": "server.pem", "tlskey": "server-key.pem"}
    path = settle(stopped, {"tlsverify": True, **{name: str(KEYS / file) for name, file in files.items()}})
    stopped.start("--config-file", str(path), "-H", f"tcp://127.0.0.1:{port}")

    def ask(who: str, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        identity = ["--tlscert", str(KEYS / f"{who}.pem"), "--tlskey", str(KEYS / f"{who}-key.pem")]
        command = [docker, "--tlsverify", "--tlscacert", str(KEYS / "ca.pem"), *identity]
        return subprocess.run(
            [*command, "-H", f"tcp://127.0.0.1:{port}", *words],
            capture_output=True, text=True, timeout=60, check=False, input=typed,
        )  # fmt: skip

    through = ask("client", "run", "-i", "--rm", "busybox", "cat", typed="by TLS")
    refused = ask("stranger", "ps")

    assert (through.returncode, through.stdout) == (0, "by TLS"), through
    assert refused.returncode == 1, refused


def test_socket_activation_serves_the_socket_that_was_passed(stopped: Wharfd) -> None:
    path = stopped.root.parent / "passed.sock"
    with socket.socket(socket.AF_UNIX) as passed:
        passed.bind(str(path))
        passed.listen()
        script = f'exec 3<&{passed.fileno()}; LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"'
        stopped.start("-H", "fd://", pass_fds=[passed.fileno()], by=["bash", "-c", script, "bash"])

        assert "Engine" in json.dumps(stopped.get("/version", at=path))


def test_figures_are_served_to_prometheus_alone(stopped: Wharfd) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    stopped.start("--metrics-addr", f"127.0.0.1:{port}")
    made = stopped.post("/containers/create", {"Image": "busybox", "Cmd": ["sleep", "99"]})
    stopped.post(f"/containers/{made['Id']}/start", None)

    def fetch(path: str) -> bytes:
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
            return b"".join(iter(lambda: client.recv(65536), b""))

    figures = fetch("/metrics").decode()
    assert 'engine_daemon_container_states_containers{state="running"} 1' in figures
    assert f'container_memory_usage_bytes{{id="{made["Id"]}"' in figures
    assert fetch("/containers/json").startswith(b"HTTP/1.0 404")


def test_networks_are_as_daemon_json_says(stopped: Wharfd) -> None:
    path = settle(
        stopped,
        {
            "bip": "10.213.0.1/24",
            "fixed-cidr": "10.213.0.128/25",
            "mtu": 1400,
            "ip": "127.0.0.1",
            "default-address-pools": [{"base": "10.214.0.0/16", "size": 24}],
            "default-network-opts": {"bridge": {"com.docker.network.driver.mtu": "1300"}},
            "host-gateway-ips": ["10.99.0.1"],
        },
    )
    stopped.start("--config-file", str(path))
    net = stopped.post("/networks/create", {"Name": "lan"})["Id"]
    host = {"PortBindings": {"80/tcp": [{}]}, "ExtraHosts": ["up:host-gateway"]}
    script = "cat /sys/class/net/eth0/mtu; grep -w up /etc/hosts; sleep 100"
    document = {"Image": "busybox", "Cmd": ["sh", "-c", script], "HostConfig": host, "ExposedPorts": {"80/tcp": {}}}
    made = stopped.post("/containers/create", document)["Id"]
    stopped.post(f"/containers/{made}/start", None)
    found = stopped.get(f"/containers/{made}/json")["NetworkSettings"]
    place = found["Networks"]["bridge"]
    said = until(lambda: (log := stopped.data.log(made).read_text()).count("\n") == 2 and log)
    own = stopped.get(f"/networks/{net}")

    assert (place["IPAddress"], place["Gateway"]) == ("10.213.0.128", "10.213.0.1")
    assert [bound["HostIp"] for bound in found["Ports"]["80/tcp"]] == ["127.0.0.1"]
    assert ("1400" in said, "10.99.0.1" in said) == (True, True)
    assert (own["IPAM"]["Config"][0]["Subnet"], own["Options"]) == (
        "10.214.0.0/24",
        {"com.docker.network.driver.mtu": "1300"},
    )

    stopped.end(signal.SIGKILL)
    stopped.start()  # another bip while a container runs there
    kept = stopped.get(f"/containers/{made}/json")["NetworkSettings"]["Networks"]["bridge"]
    stopped.get(f"/containers/{made}?force=1", "DELETE")
    stopped.end(signal.SIGKILL)
    stopped.start()
    usual = stopped.get("/networks/bridge")["IPAM"]["Config"]

    assert kept["IPAddress"] == "10.213.0.128"
    assert [pool["Subnet"] for pool in usual] == ["172.17.0.0/16"]
