"""Who asks: keys today; users, organisations and roles come here. Exact, and failing closed."""
