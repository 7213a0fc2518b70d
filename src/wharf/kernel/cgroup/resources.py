"""Names for the parts of the OCI "resources" document, for annotations alone.

Kernel and spec do not import each other, so the documents are plain mappings here; their fields are those of
``wharf.spec.oci_runtime``, whose typed dictionaries callers pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Resources = Mapping[str, Any]
Memory = Mapping[str, Any]
CPU = Mapping[str, Any]
BlockIO = Mapping[str, Any]
Pids = Mapping[str, Any]
DeviceRule = Mapping[str, Any]
HugepageLimit = Mapping[str, Any]
NetworkResources = Mapping[str, Any]
RdmaLimit = Mapping[str, Any]
ThrottleDevice = Mapping[str, int]
