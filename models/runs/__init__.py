"""A whole registry judged in parts, by any number of workers: begun, done, finished, swept, read."""
