"""Everything the outside may add, gathered once."""
