"""For those who test their tables, their plugins or us."""
