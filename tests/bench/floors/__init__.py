"""The floors: the same effect by hand with asyncpg and aiokafka, and the textbook's way of it."""
