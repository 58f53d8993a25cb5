"""Long videos: sliding windows, their predictions, and files of both."""
