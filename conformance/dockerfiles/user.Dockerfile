FROM busybox
USER nobody:nogroup
CMD id
