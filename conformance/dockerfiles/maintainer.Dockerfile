FROM busybox
MAINTAINER Someone <someone@example.org>
