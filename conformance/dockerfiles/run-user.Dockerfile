FROM busybox
RUN echo 'someone:x:77:88::/home/s:/bin/sh' >> /etc/passwd && echo 'more:x:99:someone' >> /etc/group && mkdir -m 777 /out
USER someone
RUN (id -u; id -g) > /out/name; echo $HOME >> /out/name
USER someone:more
RUN (id -u; id -g) > /out/group
USER 77
RUN (id -u; id -g) > /out/number; echo $HOME >> /out/number
USER 1234
RUN (id -u; id -g) > /out/nobody; echo $HOME >> /out/nobody
USER 1234:99
RUN (id -u; id -g) > /out/both
ENV who=someone
USER $who
CMD cat /out/*; id -u; id -g
