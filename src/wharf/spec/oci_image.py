"""The OCI image specification's documents (image-spec 1.1) and Docker's schema 2 media types."""

from typing import Final, TypedDict

OCI_INDEX: Final = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
OCI_EMPTY: Final = "application/vnd.oci.empty.v1+json"
OCI_CONFIG: Final = "application/vnd.oci.image.config.v1+json"
OCI_LAYER: Final = "application/vnd.oci.image.layer.v1.tar"
OCI_LAYER_GZIP: Final = "application/vnd.oci.image.layer.v1.tar+gzip"
OCI_LAYER_ZSTD: Final = "application/vnd.oci.image.layer.v1.tar+zstd"
DOCKER_INDEX: Final = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST: Final = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG: Final = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER: Final = "application/vnd.docker.image.rootfs.diff.tar"
DOCKER_LAYER_GZIP: Final = "application/vnd.docker.image.rootfs.diff.tar.gzip"

REF_NAME: Final = "org.opencontainers.image.ref.name"

_PLATFORM_DOTTED = TypedDict("_PLATFORM_DOTTED", {"os.version": str, "os.features": list[str]}, total=False)


class Platform(_PLATFORM_DOTTED, total=False):
    """image-index.md "platform"."""

    architecture: str
    os: str
    variant: str


class Descriptor(TypedDict, total=False):
    """descriptor.md."""

    mediaType: str
    digest: str
    size: int
    urls: list[str]
    annotations: dict[str, str]
    platform: Platform
    artifactType: str
    data: str


class Manifest(TypedDict, total=False):
    """manifest.md."""

    schemaVersion: int
    mediaType: str
    artifactType: str
    config: Descriptor
    layers: list[Descriptor]
    subject: Descriptor
    annotations: dict[str, str]


class Index(TypedDict, total=False):
    """image-index.md."""

    schemaVersion: int
    mediaType: str
    artifactType: str
    manifests: list[Descriptor]
    subject: Descriptor
    annotations: dict[str, str]


class Healthcheck(TypedDict, total=False):
    """Docker's extension of the config; times in nanoseconds."""

    Test: list[str]
    Interval: int
    Timeout: int
    StartPeriod: int
    StartInterval: int
    Retries: int


class ExecutionConfig(TypedDict, total=False):
    """config.md "config", with Docker's additions."""

    User: str
    ExposedPorts: dict[str, dict[str, object]]
    Env: list[str]
    Entrypoint: list[str] | None
    Cmd: list[str] | None
    Volumes: dict[str, dict[str, object]]
    WorkingDir: str
    Labels: dict[str, str]
    StopSignal: str
    Healthcheck: Healthcheck
    OnBuild: list[str]
    Shell: list[str]
    ArgsEscaped: bool


class RootFS(TypedDict):
    """config.md "rootfs"."""

    type: str
    diff_ids: list[str]


class History(TypedDict, total=False):
    """config.md "history"."""

    created: str
    author: str
    created_by: str
    comment: str
    empty_layer: bool


_CONFIG_DOTTED = TypedDict("_CONFIG_DOTTED", {"os.version": str, "os.features": list[str]}, total=False)


class ImageConfig(_CONFIG_DOTTED, total=False):
    """config.md."""

    created: str
    author: str
    architecture: str
    os: str
    variant: str
    config: ExecutionConfig
    rootfs: RootFS
    history: list[History]
    docker_version: str  # Docker's own, as are those that follow: what an image was committed from
    container: str
    container_config: dict[str, object]
    parent: str
