FROM busybox
RUN true
ENV A=1
RUN true
RUN touch -c /nothing
CMD ["echo", "nothing"]
