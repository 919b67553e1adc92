"""Generated and uploaded files: kept on disk, told apart by their bytes, served by signed links."""
