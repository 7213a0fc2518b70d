FROM busybox
WORKDIR /a
WORKDIR b/../c
WORKDIR ./d/
ENV dir=/from/env
WORKDIR $dir/sub
RUN pwd > /seen
WORKDIR /bin
CMD pwd; cat /seen; find /a /from | sort
