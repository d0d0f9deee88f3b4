"""The scale drill: more and fewer processes of dispatch while a village is at work."""
