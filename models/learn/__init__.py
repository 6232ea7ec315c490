"""Learning: what rules cannot say, and the registry generator that it is tried on."""
