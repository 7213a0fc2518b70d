# only: buildkit
FROM beside/healthcheck
HEALTHCHECK NONE
