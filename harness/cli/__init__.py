"""The only layer that prints, exits and reads the environment."""
