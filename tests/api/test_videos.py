JOB: set[str] = set()
