"""The rules of dispatch: pure functions over values."""
