"""What is published, and the trimmed copies of what is consumed. The schemas in shared/contracts are the contract."""
