"""What is counted and how: pure functions over the events of one request and over sums."""
