"""The ``tidui`` command line: a module a command, each a thin reading of options and printing of answers."""
