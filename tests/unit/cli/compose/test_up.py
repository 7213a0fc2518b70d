from __future__ import annotations

import pytest
from tests.fakes.compose import project

from wharf.cli.compose.up import COMMANDS, check_services, options_of, scaled
from wharf.cli.flags import parse
from wharf.compose.load.located import ComposeError
from wharf.compose.plan.work import Options
from wharf.errors import InvalidArgument

_UP = next(command for command in COMMANDS if command.path == "compose up")


def options(*words: str) -> Options:
    values, services = parse(_UP.flags, words)
    return options_of(values, services)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), Options()),
        (("web",), Options(named=frozenset({"web"}))),
        (("--force-recreate",), Options(recreate="force")),
        (("--no-recreate",), Options(recreate="never", recreate_dependencies="never")),
        (("--always-recreate-deps",), Options(recreate_dependencies="force")),
        (("-V", "--remove-orphans", "--no-start", "-y", "--wait"),
         Options(renew_volumes=True, remove_orphans=True, start=False, recreate_volumes=True, wait=True)),
    ],
)  # fmt: skip
def test_flags_say_how_to_converge(words: tuple[str, ...], expected: Options) -> None:
    assert options(*words) == expected


@pytest.mark.parametrize("other", ["--force-recreate", "--always-recreate-deps", "--renew-anon-volumes"])
def test_flags_that_contradict_each_other_are_refused(other: str) -> None:
    with pytest.raises(InvalidArgument, match=f"{other} and --no-recreate are incompatible"):
        options("--no-recreate", other)


def test_scale_of_the_command_line_is_above_the_files() -> None:
    app = project("services: {a: {image: x, deploy: {replicas: 2}}}")

    assert scaled(app, ["a=5"]).services["a"].replicas == 5
    with pytest.raises(InvalidArgument, match="invalid --scale option 'a'"):
        scaled(app, ["a"])
    with pytest.raises(ComposeError, match="no such service: b"):
        scaled(app, ["b=1"])


@pytest.mark.parametrize(
    "words",
    [("-d", "--menu"), ("-d", "--attach", "a"), ("--wait", "-w"), ("--no-build", "-w"), ("--build", "--no-build"),
     ("--abort-on-container-exit", "--abort-on-container-failure"), ("--attach", "a", "--attach-dependencies")],
)  # fmt: skip
def test_flags_for_the_foreground_go_with_what_they_can(words: tuple[str, ...]) -> None:
    with pytest.raises(InvalidArgument, match="are incompatible"):
        options(*words)


def test_bringing_up_nothing_is_refused_unless_all_resources_are_asked_for() -> None:
    nothing = project("services: {a: {image: x, profiles: [p]}}")

    with pytest.raises(InvalidArgument, match=r"^no service selected$"):
        check_services(nothing, all_resources=False)
    check_services(nothing, all_resources=True)
    check_services(project("services: {a: {image: x}}"), all_resources=False)
