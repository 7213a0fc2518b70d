# escape=`
FROM busybox
RUN echo one > /seen && `
    echo C:\dir\ >> /seen
ENV A=`$B C="x`"y"
CMD cat /seen
