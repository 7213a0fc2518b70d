"""The programs beside a container: the zygote that forks, the shim that owns one container."""
