"""LiteLLM's configuration to a table of ours, and a report that leaves out no line of it."""
