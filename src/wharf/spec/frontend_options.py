"""Options of the Dockerfile frontend that are our own, as our clients spell them for our engine."""

from typing import Final

SECRET_FILE: Final = "wharf.secret-file:"  # noqa: S105  # no secret
"""Before a secret's id; the value is ``uid:gid:mode`` (octal), for steps that do not say; each may be empty."""
