"""What belongs to a centre: its Git repository, its key, the numbers by which it knows its patients."""
