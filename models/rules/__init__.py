"""Rules as data: packs are loaded and checked, compiled to one program, and read by two readers."""
