# What is there already: files are replaced, folders joined, links gone through.
FROM busybox
RUN mkdir -p /real/keep /d && echo old > /a && echo old > /real/f && ln -s /real /link && ln -s ../real /d/up \
    && ln -s /nowhere /dangling && chmod 711 /real && chown 5:6 /real
COPY a /a
COPY folder /link/
COPY folder /d/up/
COPY a /dangling
COPY a /link
CMD find /a /real /link /d /dangling /nowhere -exec stat -c '%N %u %g %a' {} + 2>&1 | sort
