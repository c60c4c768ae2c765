"""What recording costs, beside the plain run and beside VizTracer: `make bench`."""
