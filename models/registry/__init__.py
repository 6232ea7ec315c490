"""What is remembered: editions, firms, facts, titles, standing, checks, keys, audit (design.md §5)."""
