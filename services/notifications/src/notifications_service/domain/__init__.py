"""Who hears what: pure rules over values, no I/O, no clock."""
