"""What every Lianhu service needs, and no business word in it."""
