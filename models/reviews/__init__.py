"""What a person should look at: found by each run, decided by people, decisions kept."""
