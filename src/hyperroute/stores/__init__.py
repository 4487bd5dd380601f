"""What outlives a request. Two verbs: read and commit."""
