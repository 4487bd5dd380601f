"""Decisions. Same arguments, same answer, no effect."""
