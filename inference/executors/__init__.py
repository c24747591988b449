"""Where fields are computed: in this process, or by a server that others run."""
