"""``hyperroute chat``: one question, the answer as it comes, and one line about what it took."""

from __future__ import annotations
