package = "own"
version = "scm-1"
