"""The hunt for wrong gradients: random Python programs, each checked against plain Python and against itself."""
