"""What each kind of vertex does: sources fetch, commands run, files are copied; results are layers or folders."""
