FROM beside/env
ENV a=replaced z=last PATH=/only:$PATH
CMD env | sort | grep -v HOSTNAME
