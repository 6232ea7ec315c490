"""Files in and out: what a table is, what its columns mean, what its cells hold, what is wrong with it."""
