"""Build contexts as sources: folders that a client sends, repositories, addresses, image layouts. Pure."""

from __future__ import annotations

from wharf.build.convert.options import Options
from wharf.build.convert.remotes import parse_git
from wharf.build.graph.operations import Source
from wharf.build.graph.vertex import Description, Edge, Vertex
from wharf.errors import InvalidArgument, NotImplementedHere


def context_edge(options: Options, name: str) -> Edge:
    """Return the source of a context; "" is the main one.

    Raises:
        NotImplementedHere: a context of a kind that this build does not have.
        InvalidArgument: its address is malformed.
    """
    if not name:
        source = Source(options.context, options.context_attributes)
        return Vertex(source, (), "", Description("[internal] load build context")).output()
    where = options.contexts[name]
    scheme = where.partition(":")[0]
    about = Description(f"[context {name}] load from {where if scheme != 'local' else 'client'}")
    if scheme == "local":
        return Vertex(Source(f"local://{where.partition(':')[2].lstrip('/')}"), (), "", about).output()
    if (git := parse_git(where)) is not None:
        return Vertex(Source(git.identifier, tuple(sorted(git.attributes.items()))), (), "", about).output()
    if scheme in ("http", "https"):
        return Vertex(Source(where, (("http.unpack", "true"),)), (), "", about).output()
    if scheme in ("oci-layout", "input", "target"):
        raise NotImplementedHere(f"contexts of the kind {scheme} are not supported by this build of wharf: {where}")
    raise InvalidArgument(f"unsupported context source {where} for {name}")
