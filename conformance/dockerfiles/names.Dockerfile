# Names of all kinds, in layers' archives too.
FROM busybox
RUN name=/n/$(printf 'long%.0s' $(seq 40)) && mkdir -p $name && touch $name/within && cd /n \
    && echo 1 > "$(printf 'x%.0s' $(seq 200))" && echo 2 > 'ünï cødé' && echo 3 > "$(printf 'new\nline')" \
    && printf 4 > "$(printf 'not\377utf8')" && echo 5 > '.wx' && echo 6 > 'back\slash' \
    && ln -s "$(printf 'target%.0s' $(seq 40))" long-link && ln "$(printf 'x%.0s' $(seq 200))" hard
COPY names /copied/
CMD find /n /copied | wc -l
