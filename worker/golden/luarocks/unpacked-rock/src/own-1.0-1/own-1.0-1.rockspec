package = "own"
