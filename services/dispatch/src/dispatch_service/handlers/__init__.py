"""The use cases of dispatch. All of them lock the request's row first, then the assignment, then people in order."""
