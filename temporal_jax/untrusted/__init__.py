"""Reading files that anyone may have written.

Whatever a file holds, it is read within bounded time and memory, nothing in it
is executed, and what is wrong with it is one ValueError that names the file,
the place in it, what was met and what is allowed.
"""
