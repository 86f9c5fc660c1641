"""One fake per protocol, and builders: for our tests and for people who write suites."""
