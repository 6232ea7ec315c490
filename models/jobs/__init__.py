"""Work that takes longer than a request: rows of the database, taken for a time by one worker each."""
