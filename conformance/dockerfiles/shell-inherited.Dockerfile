FROM beside/shell
ENTRYPOINT cat /seen
