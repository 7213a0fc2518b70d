from __future__ import annotations

from pathlib import Path

import pytest

from wharf.daemon.configuration import TlsFiles
from wharf.daemon.tls import server_context
from wharf.errors import InvalidArgument

KEYS = Path(__file__).parents[2] / "data/tls"
FILES = TlsFiles(KEYS / "ca.pem", KEYS / "server.pem", KEYS / "server-key.pem")


@pytest.mark.parametrize(
    "files",
    [
        TlsFiles(None, KEYS / "nothing.pem", KEYS / "server-key.pem"),
        TlsFiles(None, KEYS / "server.pem", KEYS / "client-key.pem"),
        TlsFiles(KEYS / "server-key.pem", KEYS / "server.pem", KEYS / "server-key.pem"),
    ],
)
def test_files_that_do_not_fit_are_refused(files: TlsFiles) -> None:
    with pytest.raises(InvalidArgument, match="TLS cannot be set up from"):
        server_context(files)
