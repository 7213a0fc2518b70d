"""``wharf version``. Asking never starts an engine."""

from __future__ import annotations

import os
import sys

from wharf.cli.command import Command
from wharf.cli.flags import Flag
from wharf.client.client import Client
from wharf.client.documents import as_documents, section, text
from wharf.client.system import System
from wharf.errors import WharfError
from wharf.lib.version import API_VERSION, __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.cli.command import Session
    from wharf.cli.flags import Values
    from wharf.client.documents import Document

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_DETAILS = {
    "ApiVersion": "API version",
    "GitCommit": "Git commit",
    "GoVersion": "Go version",
    "KernelVersion": "Kernel",
}


def _client_document(api_version: str) -> Document:
    python = ".".join(str(part) for part in sys.version_info[:3])
    machine = os.uname().machine
    return {
        "Platform": {"Name": "Wharf"},
        "Version": __version__,
        "ApiVersion": api_version,
        "DefaultAPIVersion": API_VERSION,
        "PythonVersion": python,
        "Os": "linux",
        "Arch": _ARCHITECTURES.get(machine, machine),
    }


def _line(indent: int, name: str, value: object) -> str:
    return f"{' ' * indent}{name + ':':<{19 - indent}}{value}"


def _client_lines(document: Document) -> list[str]:
    api, newest = document["ApiVersion"], document["DefaultAPIVersion"]
    return [
        "Client: Wharf",
        _line(1, "Version", document["Version"]),
        _line(1, "API version", api if api == newest else f"{api} (downgraded from {newest})"),
        _line(1, "Python version", document["PythonVersion"]),
        _line(1, "OS/Arch", f"{document['Os']}/{document['Arch']}"),
    ]


def _server_lines(document: Document) -> list[str]:
    lines = ["", f"Server: {text(document, 'Platform', 'Name')}".rstrip()]
    for component in as_documents(document.get("Components")):
        lines.append(f" {text(component, 'Name')}:")
        lines.append(_line(2, "Version", text(component, "Version")))
        details = dict(section(component, "Details"))
        least = details.pop("MinAPIVersion", None)
        if least:
            details["ApiVersion"] = f"{details.get('ApiVersion')} (minimum version {least})"
        if "Os" in details:
            details["OS/Arch"] = f"{details.pop('Os')}/{details.pop('Arch', '')}"
        lines += [_line(2, _DETAILS.get(name, name), value) for name, value in sorted(details.items())]
    return lines


def version(session: Session, values: Values, _: list[str]) -> int:
    """Print both sides' versions; without an engine the client's, and why."""
    server: Document | None = None
    failure: WharfError | None = None
    client = Client(session.host, version=session.version, tls=session.tls)
    try:
        server = System(client).version()
    except WharfError as error:
        failure = error
    mine = _client_document(client.version if server else session.version or API_VERSION)
    if values.text("format"):
        from wharf.cli.output import print_formatted  # noqa: PLC0415  # start-up is a budget

        print_formatted(session, values.text("format"), {"Client": mine, "Server": server})
    else:
        session.print("\n".join(_client_lines(mine) + (_server_lines(server) if server else [])))
    if failure is None:
        return 0
    session.warn(f"{failure}. Is the engine (wharfd) running?")
    return 1


COMMANDS = (
    Command(
        "version",
        version,
        "Show the versions of this command and of the engine",
        flags=(Flag("format", "string", "Print by a template, or json", short="f"),),
        examples=("wharf version", "wharf version --format '{{.Server.Version}}'"),
    ),
)
