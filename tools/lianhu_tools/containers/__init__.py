"""The one-shot jobs of docker-compose.yml: what must be there before the services start."""
