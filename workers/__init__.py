"""Celery: carries ids, never data. What the work is stands in :mod:`models`."""
