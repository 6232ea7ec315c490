"""Finding a firm by whatever was typed: an index of our own, the same on PostgreSQL and SQLite.

Every name a firm ever bore is an *entry*; entries are added, segment by segment, and belong to an edition.
What a look-up sees is decided when it looks: entries of editions in ``state.lineage``, and names given by
hand (edition 0). So nothing has to be rewritten when an edition becomes active, or goes.

Contract for those who write (all in :mod:`models.registry.search.write`):

- ``stage_names(database, edition_id, entries, *, lineage=()) -> int``: add the names of an edition that is
  being built, in committed transactions of its own, some seconds each. Nothing is left to do when the edition
  becomes active: its names are seen as soon as ``edition_id`` is in ``state.lineage``. ``lineage`` is that of
  the parent edition: names it already shows are skipped. Returns the number of entries added. Calls with few
  entries make small segments, which slow look-ups: give the whole file in one call, or 100,000 and more at a
  time. Give every firm, a nameless one with ``""``, or its code cannot be found by a part.
- ``clear_names(database, edition_id)``: forget what was staged for an edition (a killed import), in committed
  transactions.
- ``replace_names(connection, entries)``, in the caller's transaction: names given by hand, seen at once in
  every edition; those given before for the same firms go. ``remove_names(connection, usccs)``: take names
  given by hand back.
- Which name is the current one is read from ``firm.name`` and is never stored here: the others are former
  names. A file of former names is therefore staged like any other.

``former_names(connection, state, usccs)`` and ``search_firms`` are in :mod:`models.registry.search.find`.
"""
