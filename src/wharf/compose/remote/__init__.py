"""Compose files from elsewhere: artifacts of registries (``oci://``) and git repositories, kept in the user's cache.

Nothing in them is trusted: a folder of the cache is made whole under another name and then renamed, what is in it is
named by us or checked, and what a file is read through leads nowhere else.
"""
