"""Containers: one file a verb, around one record (``record.py``) and one table of statuses (``state.py``)."""
