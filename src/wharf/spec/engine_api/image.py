"""Images as the Engine API spells them."""

from typing import NotRequired, TypedDict

from wharf.spec.engine_api.container import DriverData, HealthConfig
from wharf.spec.oci_image import Descriptor, Platform


class ImageConfig(TypedDict, total=False):
    """ImageConfig (Engine API, definitions)."""

    User: str | None
    ExposedPorts: dict[str, dict[str, object]] | None
    Env: list[str] | None
    Cmd: list[str] | None
    Healthcheck: HealthConfig | None
    ArgsEscaped: bool | None
    Volumes: dict[str, dict[str, object]] | None
    WorkingDir: str | None
    Entrypoint: list[str] | None
    OnBuild: list[str] | None
    Labels: dict[str, str] | None
    StopSignal: str | None
    Shell: list[str] | None


class ImageInspectRootFS(TypedDict, total=False):
    """ImageInspectRootFS (Engine API, definitions)."""

    Type: str | None
    Layers: list[str] | None


class ImageInspectMetadata(TypedDict, total=False):
    """ImageInspectMetadata (Engine API, definitions)."""

    LastTagTime: str | None


class PullIdentity(TypedDict):
    """PullIdentity (Engine API, definitions)."""

    Repository: str


class BuildIdentity(TypedDict):
    """BuildIdentity (Engine API, definitions)."""

    Ref: str
    CreatedAt: str


class Identity(TypedDict, total=False):
    """Identity (Engine API, definitions); without ``Signature``, for none is verified."""

    Pull: list[PullIdentity]
    Build: list[BuildIdentity]


class ImageInspect(TypedDict, total=False):
    """ImageInspect (Engine API, definitions)."""

    Id: str | None
    RepoTags: list[str] | None
    RepoDigests: list[str] | None
    Comment: str | None
    Created: str | None
    Author: str | None
    Config: ImageConfig | None
    Architecture: str | None
    Variant: str | None
    Os: str | None
    OsVersion: str | None
    Size: int | None
    GraphDriver: DriverData | None
    RootFS: ImageInspectRootFS | None
    Metadata: ImageInspectMetadata | None
    Parent: str | None
    DockerVersion: str | None
    Container: str | None  # until 1.44
    ContainerConfig: dict[str, object] | None  # until 1.44
    Manifests: "list[ImageManifestSummary]"  # with manifests=1
    Descriptor: Descriptor
    Identity: Identity


class ImageManifestSize(TypedDict, total=False):
    """ImageManifestSummary.Size (Engine API, definitions): bytes."""

    Total: int
    Content: int


class ImageManifestImageData(TypedDict, total=False):
    """ImageManifestSummary.ImageData (Engine API, definitions)."""

    Platform: Platform
    Containers: list[str]
    Size: dict[str, int]  # "Unpacked"
    Identity: Identity


class ImageManifestSummary(TypedDict, total=False):
    """ImageManifestSummary (Engine API, definitions)."""

    ID: str
    Descriptor: Descriptor
    Available: bool
    Size: ImageManifestSize
    Kind: str  # "image", "attestation" or "unknown"
    ImageData: ImageManifestImageData
    AttestationData: dict[str, str]  # "For"


class ImageSummary(TypedDict, total=False):
    """ImageSummary (Engine API, definitions)."""

    Id: str | None
    ParentId: str | None
    RepoTags: list[str] | None
    RepoDigests: list[str] | None
    Created: int | None
    Size: int | None
    SharedSize: int | None
    Labels: dict[str, str] | None
    Containers: int | None
    Manifests: list[ImageManifestSummary]  # with manifests=1
    Descriptor: Descriptor


class ImageHistoryResponseItem(TypedDict, total=False):
    """ImageHistoryResponseItem (Engine API, definitions)."""

    Id: str | None
    Created: int | None
    CreatedBy: str | None
    Tags: list[str] | None
    Size: int | None
    Comment: str | None


class ImageDeleteResponseItem(TypedDict, total=False):
    """ImageDeleteResponseItem (Engine API, definitions)."""

    Untagged: str | None
    Deleted: str | None


class SearchResult(TypedDict, total=False):
    """One item of ImageSearch (Engine API, paths)."""

    description: str | None
    is_official: bool | None
    is_automated: bool | None
    name: str | None
    star_count: int | None


class DistributionInspect(TypedDict, total=False):
    """DistributionInspect (Engine API, definitions)."""

    Descriptor: Descriptor | None
    Platforms: list[Platform] | None


class AttestationStatement(TypedDict):
    """AttestationStatement (Engine API, definitions)."""

    Descriptor: Descriptor
    PredicateType: str
    Statement: NotRequired[object]  # where it is asked for
