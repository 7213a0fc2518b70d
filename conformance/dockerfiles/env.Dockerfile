FROM busybox
ENV plain value with spaces
ENV a=1 b="two words" c=three\ words d='single $a' e="double $a" f=$a$b
ENV g=${a:-unset} h=${none:-unset} i=${a:+set} j=${none:+set} k=\$a l="q\"q" m=''
ENV a=new n=$a
ENV o=$a p=${o}x
ENV multi=1 \
    line=2
RUN env | grep -v -e HOSTNAME -e HOME -e PWD -e SHLVL | sort > /seen
CMD cat /seen
