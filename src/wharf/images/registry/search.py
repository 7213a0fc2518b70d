"""docker search: Docker Hub's own interface, and that of registries which have one like it (``/v1/search``)."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from wharf.errors import InvalidArgument, WharfError
from wharf.images.registry.credentials import Credentials
from wharf.images.registry.hosts import origin
from wharf.images.registry.reading import read_whole
from wharf.images.registry.transport import Transport
from wharf.lib.filters import Filters, require_known, truth
from wharf.lib.reference import DEFAULT_DOMAIN, HUB_HOST
from wharf.spec.engine_api.image import SearchResult

MAX_RESULTS: Final = 100
_DEFAULT_RESULTS: Final = 25
_MAX_BYTES: Final = 4 * 1024 * 1024
_FILTERS: Final = ("stars", "is-official", "is-automated")


async def search(
    transport: Transport, term: str, *, limit: int | None, filters: Filters, credentials: Credentials
) -> list[SearchResult]:
    """Return the repositories that a registry finds for ``term``, which may begin with its host.

    Raises:
        InvalidArgument: the term, the limit or a filter is malformed.
        WharfError: what the registry answers.
    """
    wanted = limit or _DEFAULT_RESULTS
    if not 1 <= wanted <= MAX_RESULTS:
        raise InvalidArgument(f"limit {wanted} is outside the range of [1, {MAX_RESULTS}]")
    require_known(filters, _FILTERS)
    domain, rest = split_term(term)
    host = origin(HUB_HOST if domain == DEFAULT_DOMAIN else domain, transport.options)
    query = urlencode({"q": rest, "n": wanted})
    connection = transport.connect(host, credentials)
    async with connection.request("GET", f"/v1/search?{query}", what=f"search at {host.name}") as response:
        raw = await read_whole(response, _MAX_BYTES, f"search at {host.name}")
    return [found for found in _results(raw) if _matches(found, filters)][:wanted]


def split_term(term: str) -> tuple[str, str]:
    """Return the registry and the words of a search. Pure.

    Raises:
        InvalidArgument: it names a scheme, or no word.
    """
    if "://" in term:
        raise InvalidArgument(f"invalid repository name: repository name ({term}) should not have a scheme")
    first, slash, rest = term.partition("/")
    if slash and (set(".:") & set(first) or first == "localhost"):
        domain, words = (DEFAULT_DOMAIN if first == HUB_HOST else first), rest
    else:
        domain, words = DEFAULT_DOMAIN, term
    if not words:
        raise InvalidArgument("invalid search: it names nothing to look for")
    return domain, words.removeprefix("library/") if domain == DEFAULT_DOMAIN else words


def _results(raw: bytes) -> list[SearchResult]:
    try:
        document: Any = msgspec.json.decode(raw)
        return msgspec.convert(document.get("results") or [], list[SearchResult])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, AttributeError) as error:
        raise WharfError("the registry's answer to the search makes no sense") from error


def _matches(found: SearchResult, filters: Filters) -> bool:
    official, automated = truth(filters, "is-official"), truth(filters, "is-automated")
    try:
        stars = max((int(text) for text in filters.get("stars", [])), default=0)
    except ValueError:
        raise InvalidArgument(f"invalid filter 'stars={filters['stars'][0]}'") from None
    return (
        (official is None or official == bool(found.get("is_official")))
        and (automated is None or automated == bool(found.get("is_automated")))
        and (found.get("star_count") or 0) >= stars
    )
