"""Plans on this machine: files of every form, YAML too, and what is understood of them."""
