# with: --target wanted
FROM busybox AS unused
RUN echo unused > /unused
FROM busybox AS one
ENV A=1
RUN echo one > /one
FROM one AS wanted
RUN echo $A > /wanted
LABEL stage=wanted
FROM wanted
RUN exit 1
