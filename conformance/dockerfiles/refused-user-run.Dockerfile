FROM busybox
USER unheard
RUN true
