"""``tidui doctor``: is everything there that service and workers need, and is anything left lying about."""
