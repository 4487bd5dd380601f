"""YAML to RouteTable. pydantic and yaml live here only."""
