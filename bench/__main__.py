"""``python -m bench``: measure, print the table, write ``build/bench.json`` and the tables of docs/performance.md."""

from __future__ import annotations

import argparse
import compileall
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import compose, image, report, sides, workloads, zygote
from bench.builds import Builds
from bench.raw_http import UnexpectedAnswer
from bench.rows import Row, Samples, Target, cells, merged, step_rows, step_table
from bench.sides import Side

_TOP = Path(__file__).parent.parent
_NONE_TARGET, _BRIDGE_TARGET = Target(times=3, plus=8), Target(times=3, plus=16)
_CLIENTS = 8
_BUILDS = ("build-steps", "build-stages", "build-contexts")  # "builds" are all of them


@dataclass(slots=True)
class Bench:
    """One run: the sides that run, where it works, and what it has measured."""

    sides: list[Side]
    scratch: Path
    rounds: int
    rows: list[Row]

    def take_turns(self, samples: Samples, measure: Callable[[Side], float], *, floor: str | None = None) -> None:
        """Measure each side once a round (and the floor, of that kind), after one turn that does not count.

        A side that fails is left out of this row, and we say so.
        """
        taking_part = list(self.sides)
        for turn in range(self.rounds + 1):
            for side in list(taking_part):
                try:
                    value = measure(side)
                except (UnexpectedAnswer, OSError, subprocess.TimeoutExpired) as error:
                    print(f"{samples.name}: {side.name} left out: {error}", file=sys.stderr)
                    taking_part.remove(side)
                    samples.by_side.pop(side.name, None)
                    continue
                if turn:
                    samples.add(side.name, [value])
            if floor and turn:
                samples.add("floor", [us / 1e3 for us in self.floor_us(floor)])
        self.rows.append(samples.row())

    def floor_us(self, kind: str) -> list[float]:
        """Return a few runs of the floor."""
        scratch = Path(tempfile.mkdtemp(dir=self.scratch))
        try:
            return workloads.floor_us(self.scratch / "floor", self.scratch / "rootfs", scratch, kind, 3)
        finally:
            shutil.rmtree(scratch)

    def commands(self) -> None:
        """Containers by a command: the same docker command for every side, then each side's own."""
        for network in ("none", "bridge"):
            self.take_turns(
                Samples(f"docker run --rm --network {network} true", "ms"),
                partial(_by_command, client=0, network=network),
            )
            self.take_turns(
                Samples(f"own client: run --rm --network {network} true", "ms"),
                partial(_by_command, client=1, network=network),
            )

    def cycles(self) -> None:
        """Containers by the API, one at a time and eight at a time."""
        for network, target in (("none", _NONE_TARGET), ("bridge", _BRIDGE_TARGET)):
            self.take_turns(
                Samples(f"API create+start+wait+remove, {network}, 1 client", "ms", target),
                partial(workloads.cycles, network=network, clients=1, each=2),
                floor="net",
            )
            self.take_turns(
                Samples(f"API create+start+wait+remove, {network}, {_CLIENTS} clients, per container", "ms"),
                partial(workloads.cycles, network=network, clients=_CLIENTS, each=1),
            )

    def steps(self) -> None:
        """The steps of our own start path."""
        for side in self.sides:
            for network in ("none", "bridge"):
                if side.name == "wharf":
                    try:
                        self.rows += step_rows(network, workloads.start_steps(side, network, 5 * self.rounds))
                    except (UnexpectedAnswer, OSError) as error:
                        print(f"steps on {network}: left out: {error}", file=sys.stderr)

    def memory(self) -> None:
        """What idles: a container, and the daemon once it has run all those before."""
        containers = Samples("private memory of an idle container", "MB", Target(plus=2))
        daemons = Samples("memory of the idle daemon (PSS, with its helpers)", "MB", Target(plus=60))
        for side in self.sides:
            try:
                containers.add(side.name, workloads.idle_container_mb(side, 5))
                daemons.add(side.name, [workloads.daemon_mb(side)])
            except (UnexpectedAnswer, OSError) as error:
                print(f"memory: {side.name} left out: {error}", file=sys.stderr)
        self.rows += [containers.row(), daemons.row()]

    def build_steps(self, work: Builds) -> None:
        """Commands of builds, beside dockerd's old builder and podman's."""
        quarter, third = Target(peers={"docker": 0.25}), Target(peers={"docker": 1 / 3})
        self.take_turns(Samples("build of ten RUN steps", "ms", quarter), work.steps_cold)
        self.take_turns(Samples("build of ten RUN steps, all known", "ms", third), work.steps_known)

    def build_stages(self, work: Builds) -> None:
        """Four stages that do not need each other, beside two of which the second needs the first."""
        stages = Samples("build of four stages, a second each (floor: of two in turn)", "ms", Target(times=1.1))
        for side in self.sides:
            if side.name == "wharf":
                for _ in range(min(self.rounds, 3)):
                    stages.add("floor", [work.stages_in_turn(side, 2)])
                    stages.add(side.name, [work.stages(side, 4)])
        self.rows.append(stages.row())

    def build_contexts(self, work: Builds) -> None:
        """A large context: sent and hashed alone, copied into a layer, and sent again."""
        kinds = (
            ("sent and hashed", work.context_sent),
            ("lent and hashed, by wharf build", work.context_lent),
            ("and copied", work.context_new),
            ("one file changed", work.context_changed),
        )
        for name, measure in kinds:
            samples = Samples(f"build of 20,000 files, 1 GB: {name} (floor: tar | sha256sum)", "ms", Target(times=1))
            for side in self.sides:
                try:
                    for _ in range(min(self.rounds, 2)):
                        samples.add("floor", [work.archive_ms()])
                        samples.add(side.name, [measure(side)])
                except OSError as error:
                    print(f"{samples.name}: {side.name} left out: {error}", file=sys.stderr)
            self.rows.append(samples.row())

    def start_up(self, binaries: Path) -> None:
        """`wharf version` beside the same interpreter doing nothing."""
        samples = Samples("wharf version (floor: python -c pass)", "ms", Target(times=2))
        ours = next((side for side in self.sides if side.name == "wharf"), None)
        python = [str(binaries / "python"), "-c", "pass"]
        for _ in range(3 * self.rounds):
            if ours:
                samples.add("wharf", [workloads.command_ms([*ours.clients[1], "version"], ours.environment)])
            samples.add("floor", [workloads.command_ms(python, dict(os.environ))])
        self.rows.append(samples.row())

    def projects(self) -> None:
        """Projects of several services."""
        self.rows += compose.measure(self.sides, self.scratch, max(1, self.rounds // 5))

    def runtimes(self, commands: dict[str, list[str]]) -> None:
        """OCI runtimes on one bundle, without an engine; and the same process through a zygote."""
        bundle = self.scratch / "bundle"
        workloads.write_bundle(bundle, self.scratch / "rootfs", "true")
        idle = self.scratch / "idle"
        workloads.write_bundle(idle, self.scratch / "rootfs", "sh", "-c", "echo up; exec sleep 1000")
        samples = Samples("OCI runtime: run true", "ms", Target(peers={"crun": 3, "runc": 1}))
        through = Samples("through the zygote: run true (peers: as above)", "ms", Target(peers={"crun": 1}))
        with zygote.running(bundle, self.scratch / "zygote") as ours:
            for number in range(self.rounds):
                for name, command in list(commands.items()):
                    try:
                        samples.add(name, [workloads.runtime_ms(command, bundle, number)])
                    except UnexpectedAnswer as error:
                        print(f"{samples.name}: {name} left out: {error}", file=sys.stderr)
                        del commands[name]
                through.add("wharf", [ours.run_ms(number)])
                floor = [us / 1e3 for us in self.floor_us("net")]
                samples.add("floor", floor)
                through.add("floor", floor)
        for name, values in samples.by_side.items():
            if name not in ("wharf", "floor"):
                through.add(name, values)
        waiting = Samples("OCI runtime: private memory of `run` that waits", "MB", Target(peers={"runc": 1}))
        for name, command in commands.items():
            waiting.add(name, [workloads.runtime_mb(command, idle, number) for number in range(3)])
        self.rows += [samples.row(), through.row(), waiting.row()]


def _by_command(side: Side, *, client: int, network: str) -> float:
    return workloads.run_by_command(side, side.clients[client], network)


def main() -> int:
    """Measure."""
    options = _options()
    if options.report:
        report.write(_TOP / "docs/performance.md", json.loads((_TOP / "build/bench.json").read_text()))
        return 0
    if os.geteuid() != 0:
        print("bench: it needs root", file=sys.stderr)
        return 1
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="wharf-bench.", dir="/tmp") as folder, ExitStack() as stack:
        scratch = Path(folder)
        image.make_rootfs(scratch / "rootfs")
        subprocess.run(["gcc", "-O2", "-o", scratch / "floor", _TOP / "bench/floor.c"], check=True)
        compileall.compile_dir(_TOP / "src/wharf", quiet=1)
        docker = subprocess.run(
            [_TOP / "scripts/docker-cli"], stdout=subprocess.PIPE, text=True, check=True
        ).stdout.strip()
        engines = [] if options.part == ["runtimes"] else _engines(options, scratch)
        started = _started(engines, scratch, docker, stack)
        bench = Bench(started, scratch, options.rounds, rows)
        prefix = stack.enter_context(sides.one_version_of_cgroups())
        runtimes = {name: [*prefix, *command] for name, command in _runtimes(options).items()}
        builds = Builds(scratch / "builds", _buildx())
        parts: dict[str, Callable[[], None]] = {
            "commands": bench.commands,
            "cycles": bench.cycles,
            "steps": bench.steps,
            "memory": bench.memory,
            "build-steps": partial(bench.build_steps, builds),
            "build-stages": partial(bench.build_stages, builds),
            "build-contexts": partial(bench.build_contexts, builds),
            "start-up": partial(bench.start_up, options.binaries),
            "runtimes": partial(bench.runtimes, runtimes),
            "compose": bench.projects,
        }
        for name in options.part or parts:
            for part in [one for one in parts if name in (one, f"{one.partition('-')[0]}s")]:
                parts[part]()
    out = _TOP / "build/bench.json"
    out.parent.mkdir(exist_ok=True)
    if options.part and out.exists():
        rows = merged(json.loads(out.read_text()), rows)
    out.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
    _print(rows)
    return 0


def _buildx() -> Path | None:
    """Return the plugin, if it is here: nothing is compiled for a measurement."""
    done = subprocess.run([_TOP / "scripts/docker-buildx", "--here"], stdout=subprocess.PIPE, text=True, check=False)
    return Path(done.stdout.strip()) if done.stdout.strip() else None


def _started(engines: list[sides.Engine], scratch: Path, docker: str, stack: ExitStack) -> list[Side]:
    found = []
    for engine in engines:
        try:
            images = {image.NAME: image.archive(scratch / "rootfs")}
            found.append(stack.enter_context(sides.running(engine, scratch / engine.name, docker, images)))
        except sides.SideFailed as error:
            if engine.name == "wharf":
                raise
            print(f"bench: {engine.name} left out: {error}", file=sys.stderr)
    return found


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--peers", action="store_true", help="also start docker and podman, and run runc and crun")
    parser.add_argument("--without-wharf", action="store_true", help="leave our own side out, to try the peers")
    parser.add_argument("--rounds", type=int, default=15, help="turns each side has at a measurement (15)")
    parser.add_argument("--report", action="store_true", help="only write docs/performance.md from build/bench.json")
    parser.add_argument(
        "--part",
        action="append",
        choices=("commands", "cycles", "steps", "memory", "builds", *_BUILDS, "start-up", "runtimes", "compose"),
        help="measure only this, and leave the other rows of build/bench.json as they are; may be repeated",
    )
    parser.add_argument("--binaries", type=Path, default=_TOP / ".venv/bin", help="where wharf and wharfd are")
    return parser.parse_args()


def _engines(options: argparse.Namespace, scratch: Path) -> list[sides.Engine]:
    ours = [] if options.without_wharf else [sides.wharf(options.binaries, scratch / "wharf")]
    peers = [sides.dockerd(scratch / "docker"), sides.podman(scratch / "podman")] if options.peers else []
    return ours + peers


def _runtimes(options: argparse.Namespace) -> dict[str, list[str]]:
    commands = {"wharf": options.binaries / "wharf-runtime"}
    if options.peers:
        commands |= {name: Path(shutil.which(name, path="/usr/sbin:/usr/bin") or name) for name in ("runc", "crun")}
    return {name: [str(path)] for name, path in commands.items() if path.exists()}


def _print(rows: list[Row]) -> None:
    peers = list(dict.fromkeys(name for row in rows for name in row["peers"]))
    table = Table("what", "unit", "wharf", "floor", *peers, "target", "met")
    for row in rows:
        if "step" not in row:
            table.add_row(*cells(row, peers))
    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print(table)
    if steps := step_table(rows):
        table = Table(*steps[0])
        for line in steps[1:]:
            table.add_row(*line)
        console.print(table)


if __name__ == "__main__":
    sys.exit(main())
