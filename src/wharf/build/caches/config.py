"""What a cache holds: results by the digests of their keys, as layers (BuildKit, cache/remotecache/v1). Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import msgspec

from wharf.errors import InvalidArgument
from wharf.lib.digest import is_digest
from wharf.lib.timestamps import rfc3339_nano
from wharf.spec.buildkit_cache import CacheConfig, CacheLayer, CacheRecord, CacheResult

T = TypeVar("T")

MAX_CONFIG_BYTES: Final = 8 << 20
_MAX_RECORDS: Final = 50_000
_MAX_LAYERS: Final = 10_000
_MAX_RESULTS: Final = 1000  # of one record
_MAX_DEPTH: Final = 500  # layers of one result: twice what overlay can mount


@dataclass(frozen=True, slots=True)
class Kept:
    """A result as it is kept: its keys, as the solver's cache names them, and its layers."""

    keys: tuple[str, ...]
    chain_id: str
    created_ns: int = 0


def record_digest(key: str) -> str:
    """Return what a key of the solver's cache (``hex#output``) is called in documents."""
    return f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"


def encode(results: Iterable[Kept], blobs: Mapping[str, Sequence[str]]) -> CacheConfig:
    """Return the document of some results; the same ones give the same.

    Args:
        results: each with layers.
        blobs: the digests of the blobs of each result's layers, the lowest first, by chain id.
    """
    layers: list[CacheLayer] = []
    places: dict[tuple[str, ...], int] = {}
    records: dict[str, CacheRecord] = {}
    for kept in sorted(results, key=lambda one: one.keys):
        chain = tuple(blobs[kept.chain_id])
        for depth in range(1, len(chain) + 1):
            if chain[:depth] not in places:
                places[chain[:depth]] = len(layers)
                layers.append(CacheLayer(chain[depth - 1], places.get(chain[: depth - 1], -1)))
        result = CacheResult(places[chain], rfc3339_nano(kept.created_ns))
        for key in kept.keys:
            records[record_digest(key)] = CacheRecord([result], digest=record_digest(key))
    return CacheConfig(layers, [records[digest] for digest in sorted(records)])


def inline(results: Iterable[Kept], chain: Sequence[str]) -> list[CacheRecord]:
    """Return the records of those results that an image has: its layers are the document's.

    Args:
        results: any.
        chain: the chain ids of the image's layers, the lowest first.
    """
    places = {chain_id: place for place, chain_id in enumerate(chain)}
    records = {
        record_digest(key): CacheRecord(
            [CacheResult(places[kept.chain_id], rfc3339_nano(kept.created_ns))], digest=record_digest(key)
        )
        for kept in results
        if kept.chain_id in places
        for key in kept.keys
    }
    return [records[digest] for digest in sorted(records)]


def decode(raw: bytes) -> CacheConfig:
    """Return a document.

    Raises:
        InvalidArgument: it is malformed or too large.
    """
    return _decoded(raw, CacheConfig)


def decode_records(raw: bytes) -> list[CacheRecord]:
    """Return the records of an inline cache; raises as :func:`decode`."""
    return _decoded(raw, list[CacheRecord])


def _decoded(raw: bytes, kind: type[T]) -> T:
    if len(raw) > MAX_CONFIG_BYTES:
        raise InvalidArgument(f"invalid cache: records of {len(raw)} bytes, at most {MAX_CONFIG_BYTES} are read")
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise InvalidArgument(f"invalid cache: {error}") from None


def chains(config: CacheConfig) -> dict[str, tuple[str, ...]]:
    """Return the blobs of the layers of each result, the lowest first, by the digest of its key.

    Only records without inputs name a result by themselves; those that hang on others are checked and left out.

    Raises:
        InvalidArgument: places lead nowhere or in circles, a digest is none, or there is too much.
    """
    layers, records = config.layers or [], config.records or []
    if len(layers) > _MAX_LAYERS or len(records) > _MAX_RECORDS:
        raise InvalidArgument(f"invalid cache: {len(records)} records and {len(layers)} layers are too many")
    _check_links(records)
    found: dict[str, tuple[str, ...]] = {}
    for record in records:
        if len(record.results or ()) + len(record.chains or ()) > _MAX_RESULTS:
            raise InvalidArgument(f"invalid cache: a record has more than {_MAX_RESULTS} results")
        own = [_below(layers, result.layer) for result in record.results or ()]
        own += [_named(layers, chained.layers) for chained in record.chains or ()]
        if own and not record.inputs:
            if not is_digest(record.digest):
                raise InvalidArgument(f"invalid cache: {record.digest!r} is no digest")
            found[record.digest] = own[0]
    return found


def _below(layers: Sequence[CacheLayer], place: int) -> tuple[str, ...]:
    blobs: list[str] = []
    while place != -1:
        if len(blobs) > min(len(layers), _MAX_DEPTH):
            raise InvalidArgument("invalid cache: its layers lie on each other in a circle, or too deep")
        layer = _layer(layers, place)
        blobs.append(layer.blob)
        place = layer.parent
    return tuple(reversed(blobs))


def _named(layers: Sequence[CacheLayer], places: Sequence[int]) -> tuple[str, ...]:
    if len(places) > _MAX_DEPTH:
        raise InvalidArgument("invalid cache: a result has too many layers")
    return tuple(_layer(layers, place).blob for place in places)


def _layer(layers: Sequence[CacheLayer], place: int) -> CacheLayer:
    if not 0 <= place < len(layers):
        raise InvalidArgument(f"invalid cache: there is no layer {place}")
    if not is_digest(layers[place].blob):
        raise InvalidArgument(f"invalid cache: {layers[place].blob!r} is no digest")
    return layers[place]


def _check_links(records: Sequence[CacheRecord]) -> None:
    """Refuse records that lead nowhere, or in circles."""
    links = [[one.link for group in record.inputs or () for one in group] for record in records]
    waiting = [0] * len(records)  # how many links of each record are still to be looked at
    users: list[list[int]] = [[] for _ in records]
    for place, own in enumerate(links):
        for link in own:
            if not 0 <= link < len(records):
                raise InvalidArgument(f"invalid cache: there is no record {link}")
            waiting[place] += 1
            users[link].append(place)
    ready = [place for place, count in enumerate(waiting) if not count]
    done = 0
    while ready:
        done += 1
        for user in users[ready.pop()]:
            waiting[user] -= 1
            if not waiting[user]:
                ready.append(user)
    if done != len(records):
        raise InvalidArgument("invalid cache: its records lead in a circle")
