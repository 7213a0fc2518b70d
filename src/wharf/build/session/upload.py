"""What a client reads from its own standard input and lends to a build (BuildKit, session/upload)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from wharf.build.session.sessions import Session
from wharf.rpc.methods import decoded
from wharf.spec.buildkit.upload_pb2 import BytesMessage

METHOD: Final = "/moby.upload.v1.Upload/Pull"
HOST: Final = "buildkit-session"
"""The host of addresses that mean a client's upload."""


async def pull(session: Session, address: str, path: Path) -> None:
    """Write what the client lends under an address into a new file.

    Raises:
        CallFailed: it lends nothing there.
        NotImplementedHere: it lends nothing at all.
    """
    session.require(METHOD)
    parts = urlsplit(address)
    with await asyncio.to_thread(path.open, "xb") as file:
        async with session.channel.open(METHOD, {"urlpath": [parts.path], "urlhost": [parts.netloc]}) as call:
            async for message in call.messages():
                await asyncio.to_thread(file.write, decoded(BytesMessage, message).data)
            await call.finish()
