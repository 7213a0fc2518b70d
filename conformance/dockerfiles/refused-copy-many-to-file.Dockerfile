FROM busybox
COPY a b /x
