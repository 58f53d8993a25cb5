"""How the tensors of each repository are named, a file a repository."""
