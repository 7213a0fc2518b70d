"""``wharf build`` as BuildKit's clients build: incremental contexts, secrets, SSH agents, outputs of every kind."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from base64 import b64decode
from contextlib import ExitStack

from wharf.build.dockerfile.excerpt import excerpt
from wharf.cli.build.attributes import (
    agents_of,
    annotations_of,
    attributes_of,
    contexts_of,
    grants_of,
    secrets_of,
)
from wharf.cli.build.caches import caches_of, enter
from wharf.cli.build.outputs import enter_layouts, opened, parse_outputs, stores_of
from wharf.cli.build.serving import Lent
from wharf.cli.build.show import standard_display
from wharf.cli.build.solve import Asked, solve
from wharf.client.documents import as_document, as_documents, number, text
from wharf.errors import InvalidArgument
from wharf.lib.light_json import loads
from wharf.rpc.status import CallFailed
from wharf.spec.buildkit.status_pb2 import Status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.cli.command import Session
    from wharf.cli.flags import Values

_DOCKERFILE = "Dockerfile"
_PROVENANCE = "buildx.build.provenance"


def build(session: Session, values: Values, path: str, *, remote: bool) -> int:
    """Build what a folder, or an address, has; return the exit code."""
    if values.on("debug"):
        from wharf.cli.build.debug import require_terminal  # noqa: PLC0415  # most builds need no terminal

        require_terminal()
    with ExitStack() as stack:
        attributes = attributes_of(values, os.environ)
        if remote:
            attributes["context"] = path
            folders = _remote_file(values.text("file"), attributes)
        else:
            file = values.text("file")
            text = sys.stdin.buffer.read() if file == "-" else None
            folders = folders_of(path, "" if text is not None else file, text, attributes, stack)
        named, more = contexts_of(values.items("build-context"))
        caches = caches_of(values.items("cache-from"), values.items("cache-to"))
        for missing in caches.missing:
            session.warn(missing)
        annotations = annotations_of(values.items("annotation"))
        outputs = parse_outputs(
            values.items("output"),
            values.items("tag"),
            push=values.on("push"),
            load=values.on("load"),
            annotations=annotations,
        )
        results = stack.enter_context(opened(outputs))
        lent = Lent(
            {**folders, **more},
            secrets_of(values.items("secret"), os.environ),
            agents_of(values.items("ssh"), os.environ),
            results,
            {**caches.folders, **stores_of(outputs)},
        )
        display = standard_display("quiet" if values.on("quiet") else values.text("progress"))
        grants = grants_of(values.items("allow"), values.text("network"))
        options = {**attributes, **named}
        asked = Asked(
            options,
            outputs,
            lent,
            shared_key(path),
            caches.options,
            grants,
            recorded=bool(values.text("metadata-file")),
            debug=values.on("debug"),
        )
        try:
            told = solve(session.client, asked, display)
        except CallFailed as error:
            sys.stderr.write(lines_of(error))
            session.warn(f"ERROR: failed to build: failed to solve: {error}")
            stack.pop_all()  # what has come of a result is none
            return 1
    enter(caches, told)
    enter_layouts(outputs, told)
    _tell(session, values, told)
    return 0


def folders_of(
    path: str, dockerfile: str, text: bytes | None, attributes: dict[str, str], stack: ExitStack
) -> dict[str, str]:
    """Return the folders of the context and of the Dockerfile, and enter its name among the options.

    Args:
        path: the context's.
        dockerfile: the Dockerfile's; the one in the context by default.
        text: its content, instead.
        attributes: the frontend's options.
        stack: removes what had to be written.

    Raises:
        InvalidArgument: a folder is not there.
    """
    if not os.path.isdir(path):
        raise InvalidArgument(f'unable to prepare context: path "{path}" not found')
    if text is not None:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        with open(os.path.join(folder, _DOCKERFILE), "wb") as file:
            file.write(text)
        return {"context": path, "dockerfile": folder}
    file_path = dockerfile or os.path.join(path, _DOCKERFILE)
    attributes["filename"] = os.path.basename(file_path)
    folder = os.path.dirname(file_path) or "."
    if not os.path.isdir(folder):
        raise InvalidArgument(f"unable to prepare context: there is no Dockerfile {file_path}")
    return {"context": path, "dockerfile": folder}


def _remote_file(dockerfile: str, attributes: dict[str, str]) -> dict[str, str]:
    if dockerfile == "-":
        raise InvalidArgument("a Dockerfile on stdin goes with a folder: name one instead of an address")
    if dockerfile:
        attributes["filename"] = dockerfile
    return {}


def shared_key(path: str) -> str:
    """Return what an engine knows a folder's earlier contexts by."""
    return hashlib.sha256(f"{os.path.abspath(path)}\0{os.getuid()}".encode("utf-8", "surrogateescape")).hexdigest()


def lines_of(error: CallFailed) -> str:
    """Return the lines that a failure is about, as they stand in the Dockerfile; nothing when it is about none."""
    shown = ""
    for one in Status.FromString(error.details).details if error.details else ():
        if not one.type_url.endswith("errdefs.Source+json"):
            continue
        source = as_document(loads(one.value.decode("utf-8", "replace")))
        places = as_documents(source.get("ranges"))
        lines = [number(place, end, "line") for place in places for end in ("start", "end")]
        data = b64decode(text(source, "info", "data")).decode("utf-8", "replace")
        if lines:
            shown += excerpt(data, text(source, "info", "filename"), (min(lines), max(lines)))
    return shown


def metadata_of(told: dict[str, str]) -> dict[str, object]:
    """Return what ``--metadata-file`` has: documents as they are, not as they are told (JSON in base64)."""
    encoded = {
        name: value for name, value in told.items() if name.endswith(".descriptor") or name.startswith(_PROVENANCE)
    }
    return {**told, **{name: loads(b64decode(value).decode()) for name, value in encoded.items()}}


def _tell(session: Session, values: Values, told: dict[str, str]) -> None:
    image = told.get("containerimage.config.digest") or told.get("containerimage.digest", "")
    if path := values.text("iidfile"):
        with open(path, "w", encoding="utf-8") as file:
            file.write(image)
    if path := values.text("metadata-file"):
        with open(path, "w", encoding="utf-8") as file:
            json.dump(metadata_of(told), file, indent=2, sort_keys=True)
            file.write("\n")
    if values.on("quiet") and image:
        session.print(image)
