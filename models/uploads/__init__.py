"""Files on their way into the registry: received, checked, mapped, confirmed, imported."""
