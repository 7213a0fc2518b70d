"""Documents of the Docker Engine API, spelt as its OpenAPI definitions spell them.

Every field may be absent or null: Go writes nil slices and maps as null.
"""
