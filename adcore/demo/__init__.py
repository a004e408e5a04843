"""The demonstration: an epidemic model fitted to the 1978 boarding-school influenza outbreak."""
