"""TensorFlow and LiteRT without their remarks about themselves; warnings and errors still come through."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

# Written to the process's standard error whatever TensorFlow's settings for what to write say.
REMARKS = (
    b"oneDNN custom operations are on",
    b"All log messages before absl::InitializeLog() is called are written to STDERR",
    b"Ignored output_format",
    b"Ignored drop_control_dependency",
    b"Created TensorFlow Lite XNNPACK delegate",
)


@contextmanager
def without_remarks() -> Iterator[None]:
    """Hold back what is written to standard error, and let all but `REMARKS` go when it is over."""
    try:
        kept = os.dup(2)
    except OSError:  # the process was started without one: nobody listens
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            held.seek(0)
            for line in held:
                if not any(remark in line for remark in REMARKS):
                    os.write(2, line)
