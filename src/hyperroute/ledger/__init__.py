"""Money: holds that end once, budgets that are never overspent, postings whose sum is zero."""
