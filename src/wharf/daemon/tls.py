"""TLS for tcp://: our certificate, and whose clients' certificates we take."""

from __future__ import annotations

import ssl

from wharf.daemon.configuration import TlsFiles
from wharf.errors import InvalidArgument


def server_context(files: TlsFiles) -> ssl.SSLContext:
    """Return the context of a server; with an authority, clients without a certificate of it are turned away.

    Raises:
        InvalidArgument: a file is missing, is not what it should be, or the key is another certificate's.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(files.certificate, files.key)
        if files.authority is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(files.authority)
    except (OSError, ssl.SSLError) as error:
        told = ", ".join(str(path) for path in (files.authority, files.certificate, files.key) if path is not None)
        raise InvalidArgument(f"TLS cannot be set up from {told}: {error.strerror or error}") from error
    return context
