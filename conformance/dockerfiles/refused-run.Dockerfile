FROM busybox
RUN exit 9
