"""Reading one video: a file, a folder of pictures, flow, or a stream."""
