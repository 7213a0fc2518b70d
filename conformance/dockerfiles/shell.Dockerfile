FROM busybox
SHELL ["/bin/sh", "-ec"]
RUN echo $0 > /seen; false || echo went on >> /seen
CMD echo by shell; cat /seen
HEALTHCHECK CMD true
