"""Questions about all requests that a table may meet, answered without calling anybody."""
