# with: --secret id=s,src=a
# only: buildkit
FROM busybox
RUN mkdir -p /run/secrets /deep/er
RUN --mount=type=secret,id=s stat -c '%a %u %g' /run/secrets/s > /stat && cat /run/secrets/s > /got
RUN --mount=type=secret,id=s,target=/deep/er/s,uid=1,gid=2,mode=0444 stat -c '%a %u %g' /deep/er/s >> /stat
RUN --mount=type=secret,id=none ls /run/secrets >> /stat
CMD cat /stat /got
