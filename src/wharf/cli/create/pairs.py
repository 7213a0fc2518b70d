"""Flags of the form ``key=value``, and lists of comma-separated fields."""

from __future__ import annotations

from wharf.errors import InvalidArgument


def to_map(pairs: list[str]) -> dict[str, str]:
    """Return ``key=value`` texts as a map, the last of a key winning; a key alone has an empty value."""
    return {key: value for key, _, value in (pair.partition("=") for pair in pairs)}


def storage_options(pairs: list[str]) -> dict[str, str]:
    """Return ``key=value`` texts as a map.

    Raises:
        InvalidArgument: one has no ``=``.
    """
    if not all("=" in pair for pair in pairs):
        raise InvalidArgument("invalid storage option")
    return to_map(pairs)


def check_env(text: str) -> None:
    """Refuse a variable without a name."""
    if not text.partition("=")[0]:
        raise InvalidArgument(f"invalid environment variable: {text}")


def check_label(text: str) -> None:
    """Refuse a label without a name."""
    if not text.partition("=")[0].strip():
        raise InvalidArgument(f"invalid label '{text}': empty name")


def check_stream(text: str) -> None:
    """Refuse what is none of the three streams."""
    if text.lower() not in {"stdin", "stdout", "stderr"}:
        raise InvalidArgument("valid streams are STDIN, STDOUT and STDERR")


_SYSCTLS = frozenset(
    f"kernel.{name}"
    for name in ("msgmax", "msgmnb", "msgmni", "sem", "shmall", "shmmax", "shmmni", "shm_rmid_forced")
)


def check_sysctl(text: str) -> None:
    """Refuse a kernel parameter that is not a namespace's own."""
    name, separator, _ = text.partition("=")
    if not separator or not (name in _SYSCTLS or name.startswith(("net.", "fs.mqueue."))):
        raise InvalidArgument(f"sysctl '{text}' is not allowed")


def csv_fields(text: str) -> list[str]:
    """Split one line of comma-separated values; a field in double quotes may hold commas and doubled quotes.

    Raises:
        InvalidArgument: a quote does not end.
    """
    fields: list[str] = []
    rest: str | None = text
    while rest is not None:
        if rest.startswith('"'):
            field, rest = _quoted(rest[1:], text)
        else:
            field, comma, after = rest.partition(",")
            if '"' in field:
                raise InvalidArgument(f'bare " in non-quoted field: {text}')
            rest = after if comma else None
        fields.append(field)
    return fields


def _quoted(rest: str, whole: str) -> tuple[str, str | None]:
    field = ""
    while True:
        piece, quote, rest = rest.partition('"')
        field += piece
        if not quote:
            raise InvalidArgument(f'extraneous or missing " in quoted-field: {whole}')
        if not rest.startswith('"'):
            break
        field, rest = field + '"', rest[1:]
    if rest and not rest.startswith(","):
        raise InvalidArgument(f'extraneous or missing " in quoted-field: {whole}')
    return field, rest[1:] if rest else None
