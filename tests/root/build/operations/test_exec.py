from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.root.build.conftest import Workbench

from wharf.build.graph.operations import Exec, Mount
from wharf.build.operations.exec import CommandFailed, Commands, Output, Step
from wharf.build.operations.results import Folder, Layers, Result
from wharf.build.operations.store import unrecorded
from wharf.engine.builds.offers import NoOffers
from wharf.errors import InvalidArgument
from wharf.storage.layout import RunRoot


class _Runner:
    """Writes into the draft itself, as a command would through its root."""

    def __init__(self, exit_code: int = 0) -> None:
        self.exit_code = exit_code
        self.said = ""  # what it writes besides its environment
        self.steps: list[Step] = []

    async def run(self, step: Step, output: Output) -> int:
        self.steps.append(step)
        upper = next(o for o in step.root[0]["options"] if o.startswith("upperdir="))
        (Path(upper.removeprefix("upperdir=")) / "made").write_text(" ".join(step.env) + self.said)
        output(1, b"said")
        return self.exit_code


def _run(bench: Workbench, runner: _Runner, operation: Exec, inputs: list[Result]) -> dict[int, Layers]:
    commands = Commands(bench.store, runner, bench.data, RunRoot(bench.data.path / "run"))
    records = {mount.output: unrecorded for mount in operation.mounts}
    return asyncio.run(
        commands.run(operation, inputs, records, offers=NoOffers(), output=lambda _s, _d: None, environment=["P=1"])
    )


def test_what_a_command_writes_becomes_a_layer(bench: Workbench) -> None:
    base = bench.layer({"/a": b"1"})

    made = _run(bench, _Runner(), Exec(("x",), env=("E=1",)), [base])

    assert bench.tree(made[0]) == {"/a": "1", "/made": "E=1 P=1"}


def test_another_mount_can_be_kept_beside_the_root(bench: Workbench) -> None:
    base, other = bench.layer({"/a": b"1"}), bench.layer({"/b": b"2"})
    operation = Exec(("x",), mounts=(Mount("/", 0, output=0), Mount("/o", 1, output=1)))

    made = _run(bench, _Runner(), operation, [base, other])

    assert bench.tree(made[1]) == {"/b": "2"}


def test_a_command_that_fails_leaves_nothing(bench: Workbench) -> None:
    with pytest.raises(CommandFailed) as caught:
        _run(bench, _Runner(7), Exec(("x", "y")), [bench.layer({"/a": b""})])

    assert (caught.value.exit_code, caught.value.arguments) == (7, ("x", "y"))


def test_other_exit_codes_may_be_success(bench: Workbench) -> None:
    operation = Exec(("x",), exit_codes=(3, 7))
    assert "/made" in bench.tree(_run(bench, _Runner(7), operation, [bench.layer({"/a": b""})])[0])
    with pytest.raises(CommandFailed):
        _run(bench, _Runner(0), operation, [bench.layer({"/a": b""})])


def test_a_root_is_made_of_layers(bench: Workbench) -> None:
    with pytest.raises(InvalidArgument, match="made of layers"):
        _run(bench, _Runner(), Exec(("x",)), [Folder(bench.data.path)])
