"""Where the data that ships with tidui lies."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent / "seeds"


def seed(*parts: str) -> Path:
    """Path of a shipped data file, e.g. ``seed("rules", "srdi.n2.yaml")``."""
    return ROOT.joinpath(*parts)
