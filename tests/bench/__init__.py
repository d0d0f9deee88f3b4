"""What the services cost beside the bare floor: ratios of two things measured in turns, never times alone."""
