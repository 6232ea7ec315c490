"""The same registry under two sets of rules: who gains, who loses, and the condition behind it."""
