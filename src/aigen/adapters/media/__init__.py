"""Generated and uploaded files: on disk or in a bucket, told apart by their bytes, served by
signed links."""

import atexit
import time

# A thread of obstore that has just handed a result over still needs the interpreter for a moment.
# If that is gone the process aborts; under load, one in fifty did that ended right after a call.
atexit.register(time.sleep, 0.05)
