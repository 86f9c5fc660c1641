"""Files → domain: YAML and JSON5 read, held to their schemas and turned into frozen values."""
