"""People place orders; the village accepts, dispatches and closes them."""
