"""Evidence that the table is right: certificates of its rows, laws of linear programs, planted faults."""
