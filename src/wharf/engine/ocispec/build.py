"""Put the document together."""

from __future__ import annotations

from typing import Final

from wharf.engine.ocispec import mounts, namespaces, process, resources, security
from wharf.engine.ocispec.inputs import Inputs
from wharf.spec.oci_runtime import OCI_VERSION, Linux, Spec

ROOT: Final = "upper"
"""The root's place in the container's folder: mounted over, in the container's mount namespace alone."""


def build(inputs: Inputs) -> Spec:
    """Return the config.json of a container (runtime-spec config.md); root.path is relative to the bundle."""
    host = inputs.host_config
    spec: Spec = {
        "ociVersion": OCI_VERSION,
        "root": {"path": ROOT, "readonly": bool(host.get("ReadonlyRootfs"))},
        "process": process.of_container(inputs),
        "mounts": mounts.of_container(inputs),
        "annotations": dict(host.get("Annotations") or {}),
        "linux": _linux(inputs),
    }
    if not namespaces.shares_host(host, "UTSMode"):
        spec["hostname"] = inputs.hostname
        if domain := inputs.config.get("Domainname"):
            spec["domainname"] = domain
    return spec


def _linux(inputs: Inputs) -> Linux:
    host = inputs.host_config
    linux: Linux = {
        "namespaces": namespaces.of_container(inputs),
        "cgroupsPath": inputs.cgroups_path,
        "resources": resources.of_host_config(host, inputs.devices, privileged=bool(host.get("Privileged"))),
        "devices": inputs.devices,
        "maskedPaths": security.masked_paths(host),
        "readonlyPaths": security.readonly_paths(host),
        "sysctl": security.sysctls(inputs),
        "rootfsPropagation": mounts.root_propagation(inputs),
    }
    if inputs.user is not None:
        linux["uidMappings"], linux["gidMappings"] = namespaces.id_mappings(inputs.user.ids)
    if label := security.selinux_labels(host, inputs.facts)[1]:
        linux["mountLabel"] = label
    if (filter_ := security.seccomp(inputs)) is not None:
        linux["seccomp"] = filter_
    return linux
