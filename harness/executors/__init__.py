"""Where runs are made when not in this process."""
