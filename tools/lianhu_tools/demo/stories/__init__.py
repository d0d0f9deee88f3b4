"""The stories, one file a village; each is a function of its stage."""
