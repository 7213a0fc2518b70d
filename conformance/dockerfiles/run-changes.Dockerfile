# What a command does to what is below it.
FROM busybox
RUN mkdir -p /t/a/b /t/gone/x && echo 1 > /t/a/f && echo 2 > /t/a/b/g && echo 3 > /t/kept && ln /t/kept /t/twin && echo 4 > /t/gone/x/y
RUN rm -r /t/gone && rm /t/a/f && mkdir /t/a/f && echo 5 > /t/a/f/now-a-folder
RUN rm -rf /t/a/b && mkdir /t/a/b && echo 6 > /t/a/b/new
RUN chmod 4755 /t/kept && chown 7:8 /t/a && touch -d '2001-02-03 04:05:06' /t/a/f/now-a-folder
RUN mkfifo /t/pipe && ln -s /t/nowhere /t/link && ln /t/kept /t/third && mkdir -m 1777 /t/sticky
RUN mv /t/a/b /t/moved && rm /t/twin && echo twin > /t/twin
RUN rm -rf /t/sticky && ln -s a /t/sticky
CMD find /t -exec stat -c '%N %u %g %a %s %h' {} + | sort
