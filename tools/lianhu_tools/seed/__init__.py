"""What the local system begins with: real places, invented people, seconds where a real village has hours."""
