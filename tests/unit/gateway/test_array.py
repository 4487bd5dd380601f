"""A Gemini stream as one JSON array."""

from __future__ import annotations

import json

from hyperroute.gateway.array import ArrayFraming


def test_frames_become_elements_however_they_are_grouped():
    framing = ArrayFraming()
    written = framing.opening
    written += framing.each(b'data: {"a":1}\n\ndata: {"b":2}\r\n\r\n')
    written += framing.pulse + framing.each(b'data: {"c":3}\n\n') + framing.closing
    assert json.loads(written) == [{"a": 1}, {"b": 2}, {"c": 3}]


def test_white_space_may_come_before_the_first_element():
    framing = ArrayFraming()
    written = framing.opening + framing.pulse * 3 + framing.each(b'data: {"error":{}}\n\n')
    assert json.loads(written + framing.closing) == [{"error": {}}]
