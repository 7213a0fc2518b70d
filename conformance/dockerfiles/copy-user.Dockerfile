# Files and folders are root's, whoever USER is.
# only: buildkit
FROM busybox
USER 12:13
WORKDIR /place
COPY a sub/
RUN id -u && id -g && touch /tmp/mine
CMD stat -c '%n %u %g' /place /place/sub /place/sub/a /tmp/mine; id -u
