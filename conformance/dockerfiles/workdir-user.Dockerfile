# only: buildkit
FROM busybox
USER 21:22
WORKDIR /mine/deep
CMD stat -c '%n %u %g %a' /mine /mine/deep
