"""What is not wrong in a table but will surprise somebody: one concept a module, each with a page."""
