# What a command finds around itself.
FROM busybox
ENV E=1
RUN (id -u; pwd; umask; cat /proc/self/cgroup | wc -l > /dev/null; tty; ls /dev | grep -v core | sort; wc -c < /dev/stdin) > /around 2>&1
RUN grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status > /status
RUN env | grep -v HOSTNAME | sort > /env
RUN (echo x > /sys/x; echo 1 > /proc/sys/kernel/hostname; mount -t tmpfs x /mnt; hostname y; date -s 2001-01-01; unshare -m true) > /refused 2>&1; true
RUN stat -c '%n %a %u %g' /dev/null /dev/shm /dev/pts /proc /sys /etc/hosts /etc/resolv.conf /tmp > /stats
RUN echo added >> /etc/hosts; touch /run-file
CMD cat /around /status /env /stats
