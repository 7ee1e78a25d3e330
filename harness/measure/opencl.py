"""Prints the names of this machine's OpenCL devices, one a line.

Run as a script: asking a driver starts it, and a process that has started one may no longer fork children that use it.
"""

from __future__ import annotations

import ctypes

LIBRARY = "libOpenCL.so.1"
_ALL = 0xFFFFFFFF  # CL_DEVICE_TYPE_ALL
_NAME = 0x102B  # CL_DEVICE_NAME


def main() -> None:
    """Print the names of the devices of all platforms."""
    cl = ctypes.CDLL(LIBRARY)
    count, size = ctypes.c_uint(0), 1024
    if cl.clGetPlatformIDs(0, None, ctypes.byref(count)) != 0:
        return
    platforms = (ctypes.c_void_p * count.value)()
    cl.clGetPlatformIDs(count, platforms, None)
    for platform in map(ctypes.c_void_p, platforms):
        kinds = ctypes.c_uint64(_ALL)
        if cl.clGetDeviceIDs(platform, kinds, 0, None, ctypes.byref(count)) != 0:
            continue
        devices = (ctypes.c_void_p * count.value)()
        cl.clGetDeviceIDs(platform, kinds, count, devices, None)
        for device in map(ctypes.c_void_p, devices):
            name = ctypes.create_string_buffer(size)
            cl.clGetDeviceInfo(device, _NAME, ctypes.c_size_t(size), name, None)
            print(name.value.decode(errors="replace").strip())


if __name__ == "__main__":
    main()
