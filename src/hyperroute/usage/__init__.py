"""Usage: what every request came to, without its words: rows, sums, exports, other prices."""
