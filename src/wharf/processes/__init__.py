"""The side of the engine that talks to the zygote and to shims."""
