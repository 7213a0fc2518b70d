from __future__ import annotations

import socket
import threading
from pathlib import Path

from soak.client import ask

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


def test_a_request_that_is_cut_off_is_asked_again(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        listener.listen()

        def serve() -> None:
            for answer in (b"", ANSWER[:10], ANSWER):
                wire, _ = listener.accept()
                with wire:
                    wire.recv(65536)
                    wire.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        said = ask(str(tmp_path / "s"), "GET", "/info")
        thread.join()

    assert (said.status, said.document, said.again) == (200, {}, True)
