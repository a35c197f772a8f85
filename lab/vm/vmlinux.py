"""vmlinux.py VMLINUZ OUT: write the uncompressed kernel inside a bzImage.

The same as scripts/extract-vmlinux of the kernel's source, which Debian ships in a package of headers.
"""

import contextlib
import lzma
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

ELF = b"\x7fELF"


def unzstd(packed: bytes) -> bytes:
    """Return what zstd(1) unpacks from the beginning of `packed`; its complaint about the rest is ignored."""
    return subprocess.run(["zstd", "-dcq"], input=packed, capture_output=True, check=False).stdout


FORMS: dict[bytes, Callable[[bytes], bytes]] = {
    b"\xfd7zXZ\0": lambda packed: lzma.LZMADecompressor().decompress(packed),
    b"\x1f\x8b\x08": lambda packed: zlib.decompressobj(31).decompress(packed),
    b"\x28\xb5\x2f\xfd": unzstd,
}


def extract(image: bytes) -> bytes:
    """Return the ELF file packed in `image`, or nothing if there is none."""
    for magic, unpack in FORMS.items():
        at = image.find(magic)
        while at >= 0:
            with contextlib.suppress(lzma.LZMAError, zlib.error):
                found = unpack(image[at:])
                if found.startswith(ELF):
                    return found
            at = image.find(magic, at + 1)
    return b""


if __name__ == "__main__":
    kernel = extract(Path(sys.argv[1]).read_bytes())
    if not kernel:
        sys.exit(f"{sys.argv[1]}: no kernel found inside")
    Path(sys.argv[2]).write_bytes(kernel)
