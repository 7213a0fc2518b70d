FROM busybox
ENV base=1
ONBUILD ARG who=nobody
ONBUILD COPY a /from-child
ONBUILD RUN echo "$who $base" > /triggered
ONBUILD ENV added=yes
ONBUILD WORKDIR /on
ONBUILD CMD ["cat", "/triggered"]
