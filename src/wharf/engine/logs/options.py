"""--log-driver and --log-opt: what each driver takes, checked (docker docs, "Configure logging drivers"). Pure."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from wharf.errors import InvalidArgument, NotImplementedHere
from wharf.lib.durations import parse_duration
from wharf.lib.sizes import parse_size

JOURNAL: Final = "/run/systemd/journal/socket"
DEFAULT_SIZE_BYTES: Final = 20 << 20
DEFAULT_FILES: Final = 5
FILE_DRIVERS: Final = ("json-file", "local")
REMOTE_DRIVERS: Final = ("syslog", "gelf", "fluentd", "journald")

_BUFFER_LIMIT: Final = "fluentd-buffer-limit"
_WRITE_TIMEOUT: Final = "fluentd-write-timeout"
_RECONNECT_NS: Final = (100_000_000, 10_000_000_000)  # Docker's bounds
_BUFFER_SIZE: Final = "max-buffer-size"
_DELIVERY: Final = {"mode", _BUFFER_SIZE}
_ATTRIBUTES: Final = {"labels", "labels-regex", "env", "env-regex", "tag"}
_CACHE: Final = {"cache-disabled", "cache-max-size", "cache-max-file", "cache-compress"}
_OPTIONS: Final[Mapping[str, frozenset[str]]] = {
    "none": frozenset(),
    "json-file": frozenset({"max-size", "max-file", "compress"} | _ATTRIBUTES | _DELIVERY),
    "local": frozenset({"max-size", "max-file", "compress"} | _DELIVERY),
    "journald": frozenset(_ATTRIBUTES | _DELIVERY | _CACHE),
    "syslog": frozenset(
        {"syslog-address", "syslog-facility", "syslog-format", "syslog-tls-ca-cert", "syslog-tls-cert",
         "syslog-tls-key", "syslog-tls-skip-verify"} | _ATTRIBUTES | _DELIVERY | _CACHE
    ),
    "gelf": frozenset(
        {"gelf-address", "gelf-compression-type", "gelf-compression-level", "gelf-tcp-max-reconnect",
         "gelf-tcp-reconnect-delay"} | _ATTRIBUTES | _DELIVERY | _CACHE
    ),
    "fluentd": frozenset(
        {"fluentd-address", "fluentd-async", "fluentd-sub-second-precision", "fluentd-request-ack",
         "fluentd-retry-wait", "fluentd-max-retries", "fluentd-async-reconnect-interval", _WRITE_TIMEOUT,
         _BUFFER_LIMIT} | _ATTRIBUTES | _DELIVERY | _CACHE
    ),
}  # fmt: skip
_FACILITIES: Final = (
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
    "", "", "", "", *(f"local{n}" for n in range(8)),
)  # fmt: skip
_FORMATS: Final = ("", "rfc3164", "rfc5424", "rfc5424micro")


@dataclass(frozen=True, slots=True)
class Rotation:
    """How the file is kept small."""

    max_size_bytes: int  # 0: never rotated
    max_files: int
    compress: bool


@dataclass(frozen=True, slots=True)
class Address:
    """Where messages go; ``host`` is a path for unix and unixgram."""

    scheme: str  # udp | tcp | tcp+tls | unix | unixgram
    host: str
    port: int = 0


def check(driver: str, options: Mapping[str, str]) -> None:
    """Refuse an option that is not there, and values that cannot be; a driver that is not ours may be a plugin.

    Raises:
        NotImplementedHere: the driver needs what this machine or build has not.
        InvalidArgument: see above, in Docker's words.
    """
    driver = driver or "json-file"
    for option in options:
        if driver in _OPTIONS and option not in _OPTIONS[driver]:
            named = f"log driver {driver}" if driver == "local" else f"{driver} log driver"  # as each of them says
            raise InvalidArgument(f"unknown log opt '{option}' for {named}")
    mode = options.get("mode", "")
    if mode not in ("", "blocking", "non-blocking"):
        raise InvalidArgument(f"logger: logging mode not supported: {mode}")
    if _BUFFER_SIZE in options and mode != "non-blocking":
        raise InvalidArgument("logger: max-buffer-size option is only supported with 'mode=non-blocking'")
    if _BUFFER_SIZE in options:
        parse_size(options[_BUFFER_SIZE])
    for name in ("labels-regex", "env-regex"):
        _pattern(name, options.get(name, ""))
    rotation(driver, options)
    _CHECKS.get(driver, _nothing)(options)


def is_plugin(driver: str) -> bool:
    """Return whether a driver, if it is there, is a plugin."""
    return bool(driver) and driver not in _OPTIONS


def delivers(driver: str) -> bool:
    """Return whether a driver's lines go elsewhere, besides their file."""
    return driver in REMOTE_DRIVERS or is_plugin(driver)


def _nothing(options: Mapping[str, str]) -> None:
    """A driver without more to check."""
    del options


def _pattern(name: str, text: str) -> None:
    try:
        re.compile(text)
    except re.error as error:
        raise InvalidArgument(f"invalid log opt {name}: {error}") from error


def rotation(driver: str, options: Mapping[str, str]) -> Rotation:
    """Return how a driver's file is rotated: always, unless ``max-size=-1`` says not to.

    Raises:
        InvalidArgument: a value is none.
    """
    prefix = "cache-" if delivers(driver) else ""
    size, files = options.get(f"{prefix}max-size", ""), options.get(f"{prefix}max-file", "")
    said = options.get(f"{prefix}compress", "")
    if said not in ("", "true", "false"):
        raise InvalidArgument(f"invalid log opt {prefix}compress: {said}: true or false")
    if files and not (files.isdigit() and int(files) > 0):
        raise InvalidArgument(f"max-file cannot be less than 1: {files}")
    if size and size != "-1" and (parse_size(size) <= 0):
        raise InvalidArgument(f"max-size must be a positive number: {size}")
    max_size = 0 if size == "-1" else parse_size(size) if size else DEFAULT_SIZE_BYTES
    default_files = 1 if driver == "json-file" and size else DEFAULT_FILES  # one is Docker's own default there
    max_files = int(files or default_files)
    if said == "true" and (max_files < 2 or not max_size):
        raise InvalidArgument("compress cannot be true when max-file is less than 2 or max-size is not set")
    compress = said == "true" or (not said and driver != "json-file" and prefix == "" and max_files > 1)
    return Rotation(max_size, max_files, compress and max_files > 1)


def readable(driver: str, options: Mapping[str, str]) -> bool:
    """Return whether ``docker logs`` can read what the driver keeps."""
    return driver != "none" and options.get("cache-disabled") != "true"


def facility(options: Mapping[str, str]) -> int:
    """Return the number of syslog-facility, by name or number; daemon by default."""
    text = options.get("syslog-facility") or "daemon"
    if text.isdigit() and int(text) <= 23:
        return int(text)
    if text not in _FACILITIES or not text:
        raise InvalidArgument(f"invalid syslog facility: {text}")
    return _FACILITIES.index(text)


def address(text: str, default: str, schemes: tuple[str, ...], port: int) -> Address:
    """Return where messages go.

    Raises:
        InvalidArgument: it is no address, or of a scheme that the driver does not take.
    """
    parts = urlsplit(text or default) if "://" in (text or default) else urlsplit(f"{schemes[0]}://{text}")
    if parts.scheme not in schemes:
        raise InvalidArgument(f"unsupported scheme in log address {text!r}: use {', '.join(schemes)}")
    if parts.scheme in ("unix", "unixgram"):
        if not parts.path.startswith("/"):
            raise InvalidArgument(f"invalid log address {text!r}: a path must be absolute")
        return Address(parts.scheme, os.path.normpath(parts.path))
    try:
        number = parts.port or port
    except ValueError as error:
        raise InvalidArgument(f"invalid log address {text!r}: {error}") from error
    if not parts.hostname or parts.path.strip("/") or not number:
        raise InvalidArgument(f"invalid log address {text!r}: give it as {parts.scheme}://host:port")
    return Address(parts.scheme, parts.hostname, number)


def _syslog(options: Mapping[str, str]) -> None:
    if options.get("syslog-format", "") not in _FORMATS:
        raise InvalidArgument("Invalid syslog format")
    facility(options)
    encrypted = syslog_address(options).scheme == "tcp+tls"
    for name in options:
        if name.startswith("syslog-tls-") and not encrypted:
            raise InvalidArgument(f"{name} goes with an address of tcp+tls:// only")
    if options.get("syslog-tls-skip-verify", "false") not in ("true", "false"):
        raise InvalidArgument("invalid value for log opt syslog-tls-skip-verify: true or false")


def syslog_address(options: Mapping[str, str]) -> Address:
    """Return the syslog driver's receiver; the machine's own by default."""
    schemes = ("udp", "tcp", "unix", "unixgram", "tcp+tls")
    if (text := options.get("syslog-address", "")) and "://" not in text:
        raise InvalidArgument(f"syslog-address should be in form proto://address, got {text}")
    port = 6514 if options.get("syslog-address", "").startswith("tcp+tls:") else 514  # RFC 5425
    return address(options.get("syslog-address", ""), "unixgram:///dev/log", schemes, port)


def _gelf(options: Mapping[str, str]) -> None:
    if not options.get("gelf-address"):
        raise InvalidArgument("gelf-address is a required parameter")
    found = gelf_address(options)
    kind, level = options.get("gelf-compression-type", "gzip"), options.get("gelf-compression-level", "1")
    if kind not in ("gzip", "zlib", "none"):
        raise InvalidArgument(f"unknown value {kind!r} for log opt 'gelf-compression-type' for gelf log driver")
    if not (level.removeprefix("-").isdigit() and -1 <= int(level) <= 9):
        raise InvalidArgument(f"unknown value {level!r} for log opt 'gelf-compression-level' for gelf log driver")
    for name in ("gelf-tcp-max-reconnect", "gelf-tcp-reconnect-delay"):
        if name in options and (found.scheme != "tcp" or not options[name].isdigit()):
            raise InvalidArgument(f"{name!r} must be a number, and goes with a TCP address only")


def gelf_address(options: Mapping[str, str]) -> Address:
    """Return the gelf driver's receiver."""
    return address(options.get("gelf-address", ""), "", ("udp", "tcp"), 0)  # the port must be said


def _fluentd(options: Mapping[str, str]) -> None:
    fluentd_address(options)
    for name in ("fluentd-async", "fluentd-sub-second-precision", "fluentd-request-ack"):
        if options.get(name, "false") not in ("true", "false"):
            raise InvalidArgument(f"invalid value for log opt {name}: {options[name]}")
    if "fluentd-retry-wait" in options:
        parse_duration(options["fluentd-retry-wait"])
    if _BUFFER_LIMIT in options:
        parse_size(options[_BUFFER_LIMIT])
    reconnect_ns(options)
    write_timeout_s(options)
    if not options.get("fluentd-max-retries", "0").isdigit():
        raise InvalidArgument(f"invalid value for log opt fluentd-max-retries: {options['fluentd-max-retries']}")


def reconnect_ns(options: Mapping[str, str]) -> int:
    """Return how long a connection to fluentd is kept, its name looked up anew afterwards; 0: as long as it lasts.

    Raises:
        InvalidArgument: it is no duration, or out of Docker's bounds.
    """
    text = options.get("fluentd-async-reconnect-interval", "0")
    found, (least, most) = parse_duration(text), _RECONNECT_NS
    if found and not least <= found <= most:
        raise InvalidArgument(f"invalid fluentd-async-reconnect-interval: {text}: it is from 100ms to 10s")
    return found if options.get("fluentd-async") == "true" else 0


def write_timeout_s(options: Mapping[str, str]) -> float | None:
    """Return how long fluentd may take for a message before it is connected to anew; None: as long as it likes.

    Raises:
        InvalidArgument: it is no duration, or a negative one.
    """
    found = parse_duration(options.get(_WRITE_TIMEOUT, "0"))
    if found < 0:
        raise InvalidArgument(f"invalid value for {_WRITE_TIMEOUT}: value must be a duration that is non-negative")
    return found / 1e9 or None


def waits(driver: str, options: Mapping[str, str]) -> bool:
    """Return whether a container is to wait rather than that its receiver misses a line: Docker's ``blocking`` mode.

    Fluentd's own ``fluentd-async`` never lets it wait.
    """
    own = driver == "fluentd" and options.get("fluentd-async") == "true"
    return delivers(driver) and options.get("mode") != "non-blocking" and not own


def most_waiting_bytes(options: Mapping[str, str]) -> int | None:
    """Return how much of a log may wait for its receiver before the oldest lines are dropped; None: all there is."""
    return parse_size(options[_BUFFER_SIZE]) if _BUFFER_SIZE in options else None


def remarks(driver: str, options: Mapping[str, str]) -> list[str]:
    """Return what the user should hear of options that are taken and change nothing: lines go through a file here."""
    found = []
    if _BUFFER_LIMIT in options:
        kept = "what a receiver has not taken stays in the container's log file"
        found.append(f"log opt {_BUFFER_LIMIT} changes nothing: {kept}")
    if _BUFFER_SIZE in options and not delivers(driver):
        found.append(f"log opt {_BUFFER_SIZE} changes nothing: lines are written to the log file at once")
    return found


def fluentd_address(options: Mapping[str, str]) -> Address:
    """Return the fluentd driver's receiver."""
    return address(options.get("fluentd-address", ""), "tcp://127.0.0.1:24224", ("tcp", "unix"), 24224)


def _journald(options: Mapping[str, str]) -> None:
    del options
    if not os.path.exists(JOURNAL):
        raise NotImplementedHere("journald is not enabled on this host")


_CHECKS: Final = {"syslog": _syslog, "gelf": _gelf, "fluentd": _fluentd, "journald": _journald}
