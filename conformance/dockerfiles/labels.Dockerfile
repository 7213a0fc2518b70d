# with: --label given=outside --label replaced=outside
FROM busybox
LABEL a=1 "b c"="d e" f='g $HOME h' replaced=within
LABEL old style label
LABEL multi="one \
two" a=2
ENV v=value
LABEL from=$v "$v"=key empty=""
