FROM busybox AS Base
RUN mkdir -p /src/sub && echo 1 > /src/one && ln /src/one /src/same && ln -s one /src/link && ln -s /src/one /abs \
    && chown -R 4:5 /src && chmod 2750 /src/sub
FROM busybox AS second
RUN echo second > /two
FROM busybox
COPY --from=base /src /dst/
COPY --from=base /src/link /link
COPY --from=base /abs /abs
COPY --from=1 two /two
COPY --from=busybox /etc/passwd /passwd
COPY --from=base --chown=8:9 /src /owned/
CMD find /dst /link /abs /two /passwd /owned -exec stat -c '%n %u %g %a %F' {} + | sort
