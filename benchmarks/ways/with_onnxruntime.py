"""onnxruntime itself on the same model: what predicting could reach at most.

usage: python with_onnxruntime.py answer ONNX_FILE NPZ
"""

from typing import Any

import onnxruntime
from measuring import answers, read_parts, run_way


def answer(file: str, path: str) -> dict[str, Any]:
    """Pictures a second of a session, each call with all its pictures at once."""
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    _, (images, _) = read_parts(path)
    return answers(lambda some: session.run(None, {name: some}), images)


if __name__ == "__main__":
    run_way({"answer": answer})
