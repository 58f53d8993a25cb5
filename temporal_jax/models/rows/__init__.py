"""The rows of the catalog, a file a family: name -> `ModelSpec`."""
