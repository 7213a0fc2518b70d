FROM busybox
RUN mkdir /v && echo before > /v/before && chown 3:4 /v
VOLUME /v ["/w"]
VOLUME ["/x y", "/z"]
ENV where=/dir
VOLUME $where
CMD ls -ln /v | tail -n 1 | cut -c1-30
