"""Why an offer is not used, and the smallest single change that would have it used."""
