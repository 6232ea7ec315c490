"""Tests mirror the tree; policy cases anyone can read are in tests/cases/."""
