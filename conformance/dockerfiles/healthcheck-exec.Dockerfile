FROM busybox
HEALTHCHECK CMD ["true", "$A"]
