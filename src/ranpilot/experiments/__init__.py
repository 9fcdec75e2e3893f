"""Seeds, budgets, statistics and reports."""
