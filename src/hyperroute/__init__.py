"""Declarative routing for AI providers: public names, imported lazily (PEP 562)."""

from __future__ import annotations
