# only: classic
# with: --build-arg PATHS=/x
FROM busybox
ENV A=1
ARG A=2
ARG PATHS
ENV B=$A PATH=$PATH:$PATHS
RUN echo $A $B $PATH > /seen
CMD cat /seen
