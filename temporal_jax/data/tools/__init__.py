"""Programs on whole data sets: check, inspect, transcode, draw."""
