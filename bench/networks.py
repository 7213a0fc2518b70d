"""``python -m bench.networks``: starts on a bridge beside none, throughput, names, and one change of the firewall.

Written to ``build/bench-networks.json``. iperf3 and the asker of names run in the containers' network namespaces, and
are the same for every side.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from bench import image, sides
from bench.raw_http import Connection, UnexpectedAnswer
from bench.rows import Row, Samples, Target
from bench.sides import Side

_TOP = Path(__file__).parent.parent
_PORT, _HOST_PORT = 5201, 15201
_SECONDS = 3
_QUESTIONS = 2000
_ROUNDS = 15
_TURNS = 9  # of throughput and names: the sides by turns, for what a machine carries drifts by a tenth
_ASKER = f"""
import socket, struct, sys, time
server, name = sys.argv[1:]
labels = b"".join(bytes([len(p)]) + p.encode() for p in name.split("."))
sock = socket.socket(type=socket.SOCK_DGRAM)
sock.settimeout(2)
sock.connect((server, 53))
def ask(number):
    sock.send(struct.pack("!HHHHHH", number, 0x100, 1, 0, 0, 0) + labels + struct.pack("!BHH", 0, 1, 1))
    answer = sock.recv(512)
    assert answer[3] & 15 == 0 and answer[7] >= 1, answer
ask(0)
took = []
for number in range({_QUESTIONS}):
    begun = time.perf_counter()
    ask(number)
    took.append(time.perf_counter() - begun)
print(len(took) / sum(took), sorted(took)[len(took) * 99 // 100] * 1e3)
"""


class Place:
    """A container that idles in the network ``bench``, and the programs that are run in its network."""

    def __init__(self, connection: Connection, name: str, *, publish: bool = False) -> None:
        bindings = {f"{_PORT}/tcp": [{"HostPort": str(_HOST_PORT)}]} if publish else {}
        document = {
            "Image": image.NAME,
            "Cmd": ["sleep", "1000000"],
            "ExposedPorts": {port: {} for port in bindings},
            "HostConfig": {"NetworkMode": "bench", "PortBindings": bindings},
        }
        self.id = str(connection.json("POST", f"/containers/create?name={name}", document)["Id"])
        connection.request("POST", f"/containers/{self.id}/start")
        found: dict[str, Any] = connection.json("GET", f"/containers/{self.id}/json")
        self.pid = int(found["State"]["Pid"])
        self.address = str(found["NetworkSettings"]["Networks"]["bench"]["IPAddress"])

    def server(self) -> str:
        """Return the name server that its programs ask."""
        text = Path(f"/proc/{self.pid}/root/etc/resolv.conf").read_text()
        found = re.search(r"^nameserver (\S+)", text, re.MULTILINE)
        if not found:
            raise UnexpectedAnswer(f"no name server in {text!r}")
        return found[1]


@contextmanager
def _places(side: Side) -> Iterator[tuple[Place, Place]]:
    """Two containers in one network of the user's own; the first has a published port."""
    with Connection(side.socket) as connection:
        connection.json("POST", "/networks/create", {"Name": "bench", "CheckDuplicate": True})
        made: list[Place] = []
        try:
            made.append(Place(connection, "served", publish=True))
            made.append(Place(connection, "asking"))
            yield made[0], made[1]
        finally:
            for place in made:
                connection.request("DELETE", f"/containers/{place.id}?force=true")
            connection.request("DELETE", "/networks/bench")


def _throughput(served: Place, client: int, address: str, port: int) -> float:
    """Return gigabits a second from the network of process ``client`` to a server in ``served``."""
    server = ["nsenter", "-t", str(served.pid), "-n", "iperf3", "-s", "-1", "-p", str(_PORT), "--forceflush"]
    with subprocess.Popen(server, stdout=subprocess.PIPE, text=True) as serving:
        try:
            assert serving.stdout
            while "listening" not in serving.stdout.readline():
                pass
            asking = ["iperf3", "-c", address, "-p", str(port), "-t", str(_SECONDS), "-J"]
            done = subprocess.run(
                ["nsenter", "-t", str(client), "-n", *asking], capture_output=True, text=True, check=False, timeout=60
            )
            answer = json.loads(done.stdout or "{}")
            if "end" not in answer or "sum_received" not in answer["end"]:
                raise UnexpectedAnswer(f"iperf3: {answer.get('error') or done.stderr}")
            return float(answer["end"]["sum_received"]["bits_per_second"]) / 1e9
        finally:
            serving.kill()


def _answers(served: Place, asking: Place) -> tuple[float, float]:
    """Return how many answers a second one asker gets, who asks one question at a time, and what 99 % take, in ms."""
    command = [sys.executable, "-c", _ASKER, asking.server(), "served"]
    inside = ["nsenter", "-t", str(asking.pid), "-n", *command]
    done = subprocess.run(inside, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode:
        raise UnexpectedAnswer(f"asking {served.address}'s name: {done.stderr[-300:]}")
    each_s, slow_ms = map(float, done.stdout.split())
    return each_s, slow_ms


def throughput_and_names(started: list[Side]) -> list[Row]:
    """Return the rows of what goes through networks: the more the better."""
    names = [
        Samples("answers of the name server, one asker", "1/s"),
        Samples("an answer of the name server, 99th percentile", "ms", Target(plus=1)),
    ]
    traffic = [
        Samples("throughput, container → container", "Gbit/s"),
        Samples("throughput, host → published port on 127.0.0.1", "Gbit/s"),
    ]
    with ExitStack() as stack:
        places = [(side, *stack.enter_context(_places(side))) for side in started]
        for turn in range(_TURNS):
            for side, served, asking in places if turn % 2 else reversed(places):
                measures: tuple[Callable[[], float], ...] = (
                    partial(_throughput, served, asking.pid, served.address, _PORT),
                    partial(_throughput, served, side.pid, "127.0.0.1", _HOST_PORT),
                )
                for samples, measure in zip(traffic, measures, strict=True):
                    with _left_out(samples.name, side):
                        samples.add(side.name, [measure()])
                with _left_out(names[0].name, side):
                    for samples, value in zip(names, _answers(served, asking), strict=True):
                        samples.add(side.name, [value])
    return [samples.row() for samples in (*traffic, *names)]


@contextmanager
def _left_out(what: str, side: Side) -> Iterator[None]:
    """Go on without a side that cannot be measured, and say so."""
    try:
        yield
    except (UnexpectedAnswer, OSError, subprocess.TimeoutExpired) as error:
        print(f"{what}: {side.name} left out: {error}", file=sys.stderr)


def starts(side: Side, running: int) -> list[Row]:
    """Return how long ``start`` takes on none and on a bridge that ``running`` containers are on."""
    with Connection(side.socket) as connection, ExitStack() as undo:
        for _ in range(running):
            identity = _created(connection, "bridge", "sleep", "1000000")
            undo.callback(connection.request, "DELETE", f"/containers/{identity}?force=true")
            connection.request("POST", f"/containers/{identity}/start")
        by_network: dict[str, list[float]] = {"none": [], "bridge": []}
        for turn in range(_ROUNDS + 2):
            for network, values in by_network.items():
                identity = _created(connection, network, "true")
                begun = time.perf_counter()
                connection.request("POST", f"/containers/{identity}/start")
                if turn >= 2:  # the first ones make the bridge
                    values.append((time.perf_counter() - begun) * 1e3)
                connection.request("POST", f"/containers/{identity}/wait")
                connection.request("DELETE", f"/containers/{identity}")
    none, bridge = (statistics.median(values) for values in by_network.values())
    beside = f"beside {running} running on the bridge"
    rows = []
    for what, value, target in (
        (f"start on none, {beside}", none, None),
        (f"start on bridge, {beside}", bridge, None),
        (f"start on bridge less start on none, {beside}", bridge - none, Target(plus=8)),
    ):
        samples = Samples(what, "ms", target)
        samples.add(side.name, [value])
        rows.append(samples.row())
    return rows


def _created(connection: Connection, network: str, *command: str) -> str:
    document = {"Image": image.NAME, "Cmd": list(command), "HostConfig": {"NetworkMode": network}}
    return str(connection.json("POST", "/containers/create", document)["Id"])


def firewall(ports: int) -> list[Row]:
    """Return how long it takes to publish one port more beside ``ports``, in a network namespace of its own."""
    done = _apart(f"from bench.networks import firewall_ms; print(firewall_ms({ports}))")
    samples = Samples(f"one change of the firewall beside {ports:,} published ports", "ms", Target(plus=2))
    samples.add("wharf", [float(done)])
    return [samples.row()]


def firewall_ms(ports: int) -> float:
    """Return the median milliseconds of publishing a port beside ``ports`` published ones: one transaction."""
    from wharf.network.endpoint import Endpoint, PublishedPort  # noqa: PLC0415  # in the namespace of its own
    from wharf.network.firewall import Firewall  # noqa: PLC0415
    from wharf.network.rules import BridgeNetwork  # noqa: PLC0415

    def endpoint(number: int) -> Endpoint:
        port = PublishedPort(80, "tcp", "0.0.0.0", 10000 + number)  # the word for all addresses
        return Endpoint(f"{number}", f"{number}", "n", "bridge", "", "172.17.0.2", 16, "172.17.0.1", "", (port,), "")

    networks = [BridgeNetwork("n", "docker0", "172.17.0.0/16")]
    made = Firewall("bench", lambda: networks, lambda: [endpoint(number) for number in range(ports)])
    made.rebuild()
    values = []
    for _ in range(50):
        one = endpoint(ports)
        begun = time.perf_counter()
        made.publish([one])
        values.append((time.perf_counter() - begun) * 1e3)
        made.withdraw([one])
    made.close()
    return statistics.median(values)


def attaching(running: int) -> list[Row]:
    """Return what an engine's network part of a start costs its processor beside ``running`` on the same bridge."""
    done = _apart(f"from bench.networks import attaching_ms; print(*attaching_ms({running}))")
    rows = []
    for how, value in zip(("a sandbox waits", "none waits"), done.split(), strict=True):
        what = f"network of a start on a bridge, processor's time, beside {running} there, {how}"
        samples = Samples(what, "ms", Target(plus=8))
        samples.add("wharf", [float(value)])
        rows.append(samples.row())
    return rows


def attaching_ms(running: int) -> tuple[float, float]:
    """Return the median processor's milliseconds of an attach, with a sandbox made ahead and without.

    What a kernel's other threads do for it is not in them; what else runs on the machine hardly is.
    """
    return asyncio.run(_attaching_ms(running))


async def _attaching_ms(running: int) -> tuple[float, float]:
    from wharf.network.endpoint import Wish  # noqa: PLC0415  # in the namespace of its own
    from wharf.network.networks import Networks  # noqa: PLC0415
    from wharf.storage.layout import DataRoot, RunRoot  # noqa: PLC0415
    from wharf.storage.metadata import Database  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="wharf-bench.", dir="/tmp") as folder:
        data, run = DataRoot(Path(folder) / "data"), RunRoot(Path(folder) / "run")
        for path in (data.path, run.netns):
            path.mkdir(parents=True)
        networks = Networks(data, run, Database(data.database))
        await networks.start(set())
        identities = [f"{number:064x}" for number in range(running)]
        for identity in identities:
            await networks.attach(identity, [Wish("bridge")])
        found = []
        for ahead in (True, False):
            values = []
            for number in range(running, running + _ROUNDS):
                await networks._ahead.caught_up()  # noqa: SLF001  # else it is not known when one waits
                if not ahead:
                    networks._fabric.drop_spares(networks.resolve("bridge").id)  # noqa: SLF001  # as above
                begun = time.process_time()
                await networks.attach(f"{number:064x}", [Wish("bridge")])
                values.append((time.process_time() - begun) * 1e3)
                await networks.release(f"{number:064x}")
            found.append(statistics.median(values))
        for identity in identities:
            await networks.release(identity)
        await networks.aclose()
    return found[0], found[1]


def _apart(script: str) -> str:
    """Return what a Python script says that runs in a network namespace of its own."""
    command = ["unshare", "--net", "sh", "-c", 'ip link set lo up; exec "$@"', "sh", sys.executable, "-c", script]
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=_TOP).stdout


def main() -> int:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench.networks", description=__doc__)
    parser.add_argument("--peers", action="store_true", help="also start docker and podman")
    parser.add_argument("--binaries", type=Path, default=_TOP / ".venv/bin", help="where wharf and wharfd are")
    parser.add_argument("--running", type=int, nargs="*", default=[1, 500], help="containers beside a start (1 500)")
    parser.add_argument("--only", choices=("traffic", "starts", "attaching", "firewall"), help="measure that alone")
    options = parser.parse_args()
    out = _TOP / "build/bench-networks.json"
    rows: list[Row] = json.loads(out.read_text()) if options.only and out.exists() else []
    found = firewall(1000) if options.only in (None, "firewall") else []
    if options.only in (None, "attaching"):
        found += [row for running in options.running for row in attaching(running)]
    if options.only not in ("firewall", "attaching"):
        found += _with_sides(options)
    names = {row["name"] for row in found}
    rows = [row for row in rows if row["name"] not in names] + found
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
    for row in found:
        print(row["name"], row["ours"], row["unit"], row["peers"], f"target {row['target']}")
    return 0


def _with_sides(options: argparse.Namespace) -> list[Row]:
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="wharf-bench.", dir="/tmp") as folder, ExitStack() as stack:
        scratch = Path(folder)
        image.make_rootfs(scratch / "rootfs")
        archive = image.archive(scratch / "rootfs")
        engines = [sides.wharf(options.binaries, scratch / "wharf")]
        if options.peers:
            engines += [sides.dockerd(scratch / "docker"), sides.podman(scratch / "podman")]
        started = [
            stack.enter_context(sides.running(engine, scratch / engine.name, "docker", {image.NAME: archive}))
            for engine in engines
        ]
        if options.only in (None, "traffic"):
            rows += throughput_and_names(started)
        if options.only in (None, "starts"):
            for running in options.running:
                rows += starts(started[0], running)
    return rows


if __name__ == "__main__":
    sys.exit(main())
