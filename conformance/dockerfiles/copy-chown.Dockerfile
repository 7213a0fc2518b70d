FROM busybox
RUN echo 'someone:x:77:88::/:/bin/sh' >> /etc/passwd && echo 'some:x:99:' >> /etc/group
COPY --chown=1:2 folder /numbers/
COPY --chown=5 a /one
ARG who=11:12
COPY --chown=$who a /variable
CMD find /numbers /one /variable -exec stat -c '%n %u %g %a' {} + | sort
