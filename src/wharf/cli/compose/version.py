"""`wharf compose version`."""

from __future__ import annotations

from wharf.cli.command import Command
from wharf.cli.flags import Flag, one_of
from wharf.lib.version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.cli.command import Session
    from wharf.cli.flags import Values


def _version(session: Session, values: Values, _: list[str]) -> int:
    if values.on("short"):
        session.print(__version__)
    elif values.text("format") == "json":
        session.print(f'{{"version":"{__version__}"}}')
    else:
        session.print(f"Wharf Compose version {__version__}")
    return 0


COMMANDS = (
    Command(
        "compose version", _version, "Show this command's version",
        flags=(
            Flag("format", "string", "pretty or json", short="f", check=one_of(("pretty", "json"))),
            Flag("short", "bool", "The number alone"),
        ),
        examples=("wharf compose version --short",),
    ),
)  # fmt: skip
