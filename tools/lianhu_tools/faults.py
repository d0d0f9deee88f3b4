"""What the command says when it cannot go on: one sentence with its remedy, never a stack of calls."""


class Fault(Exception):
    """The local system cannot do what was asked; the message names the cause and what to do about it."""
