"""Times to the second, to be held against logs."""

DATETIME_FORMAT = "Y-m-d H:i:s"
