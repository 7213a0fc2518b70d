"""docker update of a container's network rates: what was asked for, then what the kernel does, and back on a failure.

The rates are in the container's specification before the kernel has them, and in its endpoints' records after. So a
process that is killed in between leaves a difference, which the next one makes good (:func:`settle`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from wharf.engine.containers import endpoints
from wharf.engine.containers.record import Container, Specification
from wharf.engine.context import Context
from wharf.errors import InvalidArgument, NotImplementedHere
from wharf.network import options
from wharf.network.endpoint import Rate
from wharf.spec.engine_api.container import EndpointSettings, NetworkingConfig


def respecified(
    spec: Specification, asked: NetworkingConfig, *, name_of: Callable[[str], str]
) -> NetworkingConfig | None:
    """Return the networking of ``spec`` with the rates that ``asked`` says for some networks; None: as it is. Pure.

    Raises:
        InvalidArgument: the container is in no such network, or in none, it has no rates, or it is no rate.
        NotImplementedHere: something else of an endpoint is to change.
    """
    present, changed, wanted = endpoints.configured(spec), {}, asked.get("EndpointsConfig")
    if wanted is not None and not present:
        mode = endpoints.mode_of(spec.host_config)
        shares = f", but in that of {mode}" if mode.startswith("container:") else ""
        raise InvalidArgument(f"the container has no network rates: it is in no network of its own{shares}")
    for ref, settings in (wanted or {}).items():
        name, chosen = name_of(ref), (settings or {}).get("DriverOpts") or {}
        if name not in present:
            raise InvalidArgument(f"the container is not connected to network {ref}")
        other = [field for field, value in (settings or {}).items() if value and field != "DriverOpts"]
        if other := [*other, *(option for option in chosen if option != options.RATE)]:
            raise NotImplementedHere(f"updating {other[0]} of an endpoint is not supported by this build of wharf")
        kept: EndpointSettings = {**present[name]}
        kept["DriverOpts"] = {**(kept.get("DriverOpts") or {}), **chosen}
        endpoints.check(name, kept)
        changed[name] = kept
    return endpoints.respecified(spec, changed) if changed else None


@asynccontextmanager
async def throttled(context: Context, container: Container, asked: NetworkingConfig | None) -> AsyncIterator[None]:
    """Let a container, whose lock the caller holds, have the rates that ``asked`` says, unless the block fails.

    Raises as :func:`respecified` and :meth:`wharf.network.networks.Networks.throttle`.
    """
    before = container.spec.networking
    after = respecified(container.spec, asked or {}, name_of=lambda ref: context.networks.resolve(ref).name)
    if after is None:
        yield
        return
    try:
        await _have(context, container, after)
        yield
    except BaseException:
        await _have(context, container, before)
        raise


async def settle(context: Context, container: Container) -> None:
    """Finish a change of a running container's rates that was cut short."""
    wanted = endpoints.configured(container.spec)
    rates = {}
    for endpoint in container.endpoints:
        if endpoint.network_name in wanted:
            rates[endpoint.network_id] = _rate(wanted[endpoint.network_name])
    if any(endpoint.rate != rates.get(endpoint.network_id, endpoint.rate) for endpoint in container.endpoints):
        container.endpoints = await context.networks.throttle(container.id, rates)


async def _have(context: Context, container: Container, networking: NetworkingConfig) -> None:
    context.registry.respecify(container, replace(container.spec, networking=networking))
    if container.state.alive:
        await settle(context, container)


def _rate(settings: EndpointSettings) -> Rate:
    return options.endpoint_options(settings.get("DriverOpts") or {}).rate
