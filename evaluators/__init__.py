"""One file per kind of check; each turns Evidence into a CheckResult."""
