FROM busybox
COPY nowhere /x
