# only: buildkit
FROM busybox
