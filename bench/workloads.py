"""What is measured: each function does the thing once (or a few times) and returns how long it took."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

from bench import image, memory
from bench.raw_http import Connection, UnexpectedAnswer
from bench.sides import Side
from wharf.runtime.documents import default_spec

_PATH = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
_STEPS = "/wharf/containers/{}/steps"


def run_by_command(side: Side, client: tuple[str, ...], network: str) -> float:
    """Return the milliseconds of ``<client> run --rm --network <network> <image> true``."""
    return command_ms([*client, "run", "--rm", "--network", network, image.NAME, "true"], side.environment)


def command_ms(command: list[str], environment: dict[str, str]) -> float:
    """Return the milliseconds of a command that must succeed."""
    start = time.perf_counter()
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, env=environment, check=False, timeout=120
    )
    elapsed = time.perf_counter() - start
    if done.returncode:
        raise UnexpectedAnswer(f"{' '.join(command)}: status {done.returncode}: {done.stderr.decode()[-500:]}")
    return elapsed * 1e3


def create(connection: Connection, network: str, *command: str) -> str:
    """Create a container and return its id."""
    document = {"Image": image.NAME, "Cmd": list(command), "HostConfig": {"NetworkMode": network}}
    return str(connection.json("POST", "/containers/create", document)["Id"])


def cycle(connection: Connection, network: str, *, with_steps: bool = False) -> dict[str, int]:
    """Create, start, await and remove a container; return the steps of its start, when asked."""
    identity = create(connection, network, "true")
    connection.request("POST", f"/containers/{identity}/start")
    status = connection.json("POST", f"/containers/{identity}/wait")["StatusCode"]
    if status != 0:
        raise UnexpectedAnswer(f"the container ended with {status}")
    steps: dict[str, int] = connection.json("GET", _STEPS.format(identity)) if with_steps else {}
    connection.request("DELETE", f"/containers/{identity}")
    return steps


def cycles(side: Side, network: str, *, clients: int, each: int) -> float:
    """Return milliseconds of wall time per container when ``clients`` do ``each`` cycles at the same time."""
    failures: list[BaseException] = []
    barrier = threading.Barrier(clients + 1)

    def client() -> None:
        try:
            with Connection(side.socket) as connection:
                connection.request("GET", "/_ping")
                barrier.wait()
                for _ in range(each):
                    cycle(connection, network)
        except (OSError, UnexpectedAnswer, threading.BrokenBarrierError) as error:
            failures.append(error)
            barrier.abort()

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    with suppress(threading.BrokenBarrierError):  # a client failed: it is told below
        barrier.wait()
    start = time.perf_counter()
    for thread in threads:
        thread.join()
    elapsed = time.perf_counter() - start
    if failures:
        raise UnexpectedAnswer(f"a client of {side.name} failed: {failures[0]}") from failures[0]
    return elapsed * 1e3 / (clients * each)


def start_steps(side: Side, network: str, count: int) -> list[dict[str, int]]:
    """Return the microseconds of each step of ``count`` starts, as Wharf itself tells them; none of a peer."""
    with Connection(side.socket) as connection:
        return [cycle(connection, network, with_steps=True) for _ in range(count)]


def idle_container_mb(side: Side, count: int) -> list[float]:
    """Return the private memory of each of ``count`` idle containers: its process and what was started for it."""
    with Connection(side.socket) as connection:
        identities = [create(connection, "none", "sleep", "1000000") for _ in range(count)]
        for identity in identities:
            connection.request("POST", f"/containers/{identity}/start")
        time.sleep(1.0)  # let start-up's last work end: what idles is measured
        pids = [int(connection.json("GET", f"/containers/{one}/json")["State"]["Pid"]) for one in identities]
        figures = [memory.private_mb(_belonging(pid, side.pid)) for pid in pids]
        for identity in identities:
            connection.request("DELETE", f"/containers/{identity}?force=true")
    return figures


def daemon_mb(side: Side) -> float:
    """Return the memory of the daemon and of every process it keeps (PSS)."""
    return memory.proportional_mb(memory.tree(side.pid))


def floor_us(program: Path, rootfs: Path, scratch: Path, kind: str, count: int) -> list[float]:
    """Return the microseconds of ``count`` runs of the floor; ``kind`` is none or net."""
    done = subprocess.run(
        [program, rootfs, scratch, str(count), kind], capture_output=True, text=True, check=True, timeout=60
    )
    return [float(line) for line in done.stdout.split()]


def runtime_ms(command: list[str], bundle: Path, number: int) -> float:
    """Return the milliseconds of ``<runtime> run`` on a bundle of ``true``."""
    return command_ms([*command, "run", "--bundle", str(bundle), f"bench-{number}"], _PATH)


def runtime_mb(command: list[str], bundle: Path, number: int) -> float:
    """Return the private memory of ``<runtime> run`` while the bundle's container runs; it must say a line first."""
    name = f"bench-{number}"
    waits = subprocess.Popen(
        [*command, "run", "--bundle", str(bundle), name], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=_PATH
    )
    try:
        assert waits.stdout
        if not waits.stdout.readline():
            raise UnexpectedAnswer(f"{' '.join(command)}: the container did not run")
        return memory.private_mb([waits.pid])
    finally:
        subprocess.run([*command, "kill", name, "KILL"], check=False, env=_PATH)
        waits.wait()
        assert waits.stdout
        waits.stdout.close()


def write_bundle(folder: Path, rootfs: Path, *command: str) -> None:
    """Write an OCI bundle that runs ``command`` as `spec` of runc and of ours has it, but for the terminal."""
    spec = default_spec()
    process = {**spec["process"], "terminal": False, "args": list(command)}
    config = {
        **spec,
        "ociVersion": "1.0.2",  # Debian's crun knows no later one
        "root": {"path": str(rootfs), "readonly": True},
        "process": process,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))


def _belonging(pid: int, daemon: int) -> list[int]:
    parent = memory.parent_of(pid)
    return [pid] if parent in {1, daemon} else [pid, parent]
