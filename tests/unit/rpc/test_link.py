from __future__ import annotations

import asyncio
import socket

from wharf.rpc.link import StreamLink


def test_a_pair_of_streams_is_a_link() -> None:
    async def body() -> tuple[bytes, bytes]:
        near, far = socket.socketpair()
        link = StreamLink(*await asyncio.open_unix_connection(sock=near))
        reader, writer = await asyncio.open_unix_connection(sock=far)
        link.write(b"there")
        await link.drained()
        writer.write(b"back")
        there, back = await reader.readexactly(5), await link.receive()
        writer.close()
        await writer.wait_closed()
        assert await link.receive() == b""
        link.close()
        link.write(b"nobody hears this")
        return there, back

    assert asyncio.run(body()) == (b"there", b"back")
