"""Reads untrusted files safely: JSON, npy, npz and HDF5.

Whatever a file holds, it is read within bounded time and memory, nothing in it
is executed, and a fault is one ValueError that names the file, the place in it,
the value met and the allowed ones.
"""
