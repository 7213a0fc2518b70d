"""A project's services as a graph in graphviz's language, as `docker compose alpha viz` draws it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from wharf.compose import identity
from wharf.compose.model.mounts import Port
from wharf.compose.model.project import Project
from wharf.compose.model.service import Service


def digraph(
    project: Project, *, indent: str = "\t", networks: bool = False, ports: bool = False, images: bool = False
) -> str:
    """Return the graph: a node for each service, and an edge to each that it depends on.

    Args:
        project: What to draw; services come in the order of their names.
        indent: What statements begin with.
        networks: Name each service's networks, too.
        ports: And its ports.
        images: And its image.
    """
    services = [project.services[name] for name in sorted(project.services)]
    lines = [f'digraph "{project.name}" {{', f"{indent}layout=dot;"]
    for service in services:
        parts = [f'<font point-size="15">{service.name}</font>']
        if networks and service.networks:
            parts.append(_section("Networks", service.networks_in_order()))
        if ports and service.ports:
            parts.append(_section("Ports", [_port(port) for port in service.ports]))
        if images:
            parts.append(_section("Image", [escape(identity.image_name(project, service), quote=False)]))
        lines.append(f'{indent}"{service.name}" [style="filled" label=<{"".join(parts)}>];')
    edges = [f'{indent}"{service.name}" -> "{name}";' for service in services for name in _needs(project, service)]
    return "\n".join([*lines, "", *edges, "}"]) + "\n"


def _needs(project: Project, service: Service) -> Iterator[str]:
    # What is not required may be left out by its profile.
    return (name for name in sorted(service.depends_on) if name in project.services)


def _section(title: str, rows: Sequence[str]) -> str:
    return f'<font point-size="10"><br/><br/><b>{title}:</b><br/>{"<br/>".join(rows)}</font>'


def _port(port: Port) -> str:
    host = f"{port.host_ip}:" if port.host_ip else ""
    return f"{host}{port.published}:{port.target} ({port.protocol}, {port.mode})"
