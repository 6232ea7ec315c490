"""Models trained by workers, on an edition of the registry."""
