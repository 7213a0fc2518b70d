# The folder that is made for the contents of another is not a copy of it.
FROM busybox AS other
RUN mkdir -m 700 -p /src/sub && chown -R 4:5 /src && echo x > /src/f
FROM busybox
COPY --from=other /src /new/
COPY --from=other /src /there
COPY folder/empty /empty
CMD stat -c '%n %u %g' /new /new/sub /there /empty
