"""A synthetic registry: firms that cannot exist, with figures that could.

Firm ``i`` of seed ``s`` at one ``as_of`` is the same whatever ``n``, start or chunking, because every
block of 10,000 firms (:data:`models.learn.synth.profile.BLOCK`) draws from generators seeded with (s, block,
stage). Changing one stage leaves what the others draw as it was.
"""

from models.learn.synth.files import write
from models.learn.synth.frame import generate

__all__ = ["generate", "write"]
