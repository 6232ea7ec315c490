"""A synthetic registry: firms that cannot exist, with figures that could.

Two kinds of firm are mixed: the mass of registered firms, most of them tiny, and a layer like firms traded
over the counter, which were measured (``seeds/learning/calibration.yaml``; :mod:`report` compares the two). A
few more are made to stand on every rung.

Firm ``i`` of seed ``s`` at one ``as_of`` is the same whatever ``n``, start or chunking, because every
block of 10,000 firms (:data:`models.learn.synth.profile.BLOCK`) draws from generators seeded with (s, block,
stage). Changing one stage leaves what the others draw as it was.
"""

from models.learn.synth.files import write
from models.learn.synth.frame import generate, generate_aside
from models.learn.synth.histories import write_history

__all__ = ["generate", "generate_aside", "write", "write_history"]
