"""The two stores of the local system and of the tests: a real Kafka broker and a real PostgreSQL cluster."""
