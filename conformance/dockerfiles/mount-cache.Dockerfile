# only: buildkit
FROM busybox
RUN mkdir -p /c /e/f/g
RUN --mount=type=cache,target=/c,mode=0750,uid=3,gid=4 stat -c '%a %u %g' /c > /mode; echo kept > /c/f
RUN --mount=type=cache,target=/c,mode=0750,uid=3,gid=4 cat /c/f > /got
RUN --mount=type=cache,id=named,target=/e/f/g,sharing=locked true
CMD cat /mode /got; ls -d /c /e/f/g
