"""Sizes in bytes as docker's command line writes and reads them."""

from __future__ import annotations

from wharf.errors import InvalidArgument

_DECIMAL = ("B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB")
_BINARY = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB")
_MULTIPLES = {"": 1, "b": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4, "p": 1024**5}


def _scaled(size: float, base: float, units: tuple[str, ...]) -> tuple[float, str]:
    index = 0
    while size >= base and index < len(units) - 1:
        size /= base
        index += 1
    return size, units[index]


def human_size(size_bytes: float, *, digits: int = 4) -> str:
    """Return a size in powers of 1000 with so many significant digits: ``4.26MB``."""
    value, unit = _scaled(size_bytes, 1000.0, _DECIMAL)
    return f"{_general(value, digits)}{unit}"


def binary_size(size_bytes: float, *, digits: int = 4) -> str:
    """Return a size in powers of 1024 with so many significant digits: ``1.5GiB``."""
    value, unit = _scaled(size_bytes, 1024.0, _BINARY)
    return f"{_general(value, digits)}{unit}"


def _general(value: float, digits: int) -> str:
    text = f"{value:.{digits}g}"
    return text if "e" not in text else f"{value:.0f}"


def parse_size(text: str) -> int:
    """Return the bytes that ``512``, ``64k``, ``1.5g`` or ``2GiB`` stand for; all powers of 1024.

    Raises:
        InvalidArgument: it is no size. The text is docker's.
    """
    number = text.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ")
    unit = text[len(number) :].strip().lower()
    if unit not in {"b", ""}:
        unit = unit.removesuffix("b").removesuffix("i") if len(unit) > 1 else unit
    digits = number.replace(".", "", 1)
    if not (digits.isascii() and digits.isdigit()) or unit not in _MULTIPLES:
        raise InvalidArgument(f"invalid size: '{text}'")
    return int(float(number) * _MULTIPLES[unit]) if "." in number else int(number) * _MULTIPLES[unit]
