# only: buildkit
FROM busybox AS other
RUN mkdir /o && echo o > /o/f
FROM busybox
RUN mkdir /ctx /in /t
RUN --mount=type=bind,target=/ctx cat /ctx/a > /a && (echo x > /ctx/a || echo read-only) 2>&1 | tail -n 1 >> /a
RUN --mount=type=bind,from=other,source=/o,target=/in,rw echo lost > /in/g && cat /in/f > /f
RUN --mount=type=tmpfs,target=/t echo x > /t/x && stat -f -c %T /t > /tmode
RUN ls -d /ctx /in /t > /left 2>&1; true
CMD cat /a /f /tmode /left
