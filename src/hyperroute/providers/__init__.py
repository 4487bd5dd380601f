"""How to talk to whom: conversations as generators, no I/O."""
