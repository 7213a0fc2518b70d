FROM busybox
MADE up
