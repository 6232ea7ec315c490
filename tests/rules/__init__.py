"""Tests of rule packs and of their two readers."""
