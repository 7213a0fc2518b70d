"""Checkpoints: what a container's processes were, saved to be brought back by ``start --checkpoint``."""

from __future__ import annotations

from wharf.cli.command import Command
from wharf.cli.flags import Flag
from wharf.cli.output import print_rows
from wharf.client.containers import Containers
from wharf.client.documents import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.cli.command import Session
    from wharf.cli.flags import Values


def _create(session: Session, values: Values, arguments: list[str]) -> int:
    container, name = arguments
    folder, left = values.text("checkpoint-dir"), values.on("leave-running")
    Containers(session.client).checkpoint(container, name, folder=folder, leave_running=left)
    session.print(name)
    return 0


def _ls(session: Session, values: Values, arguments: list[str]) -> int:
    found = Containers(session.client).checkpoints(arguments[0], folder=values.text("checkpoint-dir"))
    rows = [{"Name": text(checkpoint, "Name")} for checkpoint in found]
    print_rows(session, rows, ("Name",), template="", headers={"Name": "CHECKPOINT NAME"})
    return 0


def _rm(session: Session, values: Values, arguments: list[str]) -> int:
    container, name = arguments
    Containers(session.client).remove_checkpoint(container, name, folder=values.text("checkpoint-dir"))
    return 0


_FOLDER = Flag("checkpoint-dir", "string", "A folder of the engine's machine to keep it in")

COMMANDS = (
    Command(
        "checkpoint create", _create, "Save a running container's processes", arguments="CONTAINER CHECKPOINT",
        count=(2, 2), flags=(_FOLDER, Flag("leave-running", "bool", "Do not stop the container")),
        examples=("wharf checkpoint create web before", "wharf start --checkpoint before web"),
    ),
    Command(
        "checkpoint ls", _ls, "List what was saved of a container", arguments="CONTAINER", count=(1, 1),
        flags=(_FOLDER,), examples=("wharf checkpoint ls web",),
    ),
    Command(
        "checkpoint rm", _rm, "Forget what was saved", arguments="CONTAINER CHECKPOINT", count=(2, 2),
        flags=(_FOLDER,), examples=("wharf checkpoint rm web before",),
    ),
)  # fmt: skip
