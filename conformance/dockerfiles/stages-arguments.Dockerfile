ARG image=busybox
ARG above=seen
FROM ${image} AS one
ARG own=yes
RUN echo "$own [$above]" > /one
FROM one AS two
RUN echo two > /two
FROM busybox
COPY --from=two /two /one /
ARG above
RUN echo "[$above]" > /three
CMD cat /one /two /three
