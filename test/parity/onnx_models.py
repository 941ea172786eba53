"""Checks ONNX models and runs them: `python3 onnx_models.py FOLDER` reads FOLDER/cases.json and prints JSON.

cases.json: {name: {"model": path, "pixels": path of float32 values, "shape": [batch, 3, height, width]}}. Printed, by name: the
operator set, the inputs and outputs, the metadata, and the outputs for the whole batch and for its first image alone.
"""

import base64
import json
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime

FOLDER = pathlib.Path(sys.argv[1])


def packed(array):
    return {"shape": list(array.shape), "float32": base64.b64encode(np.ascontiguousarray(array, "<f4").tobytes()).decode()}


def checked(case):
    onnx.checker.check_model(case["model"], full_check=True)
    model = onnx.load(case["model"], load_external_data=False)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # more only wait for each other in models so small
    session = onnxruntime.InferenceSession(case["model"], options, providers=["CPUExecutionProvider"])
    pixels = np.fromfile(case["pixels"], "<f4").reshape(case["shape"])
    names = [output.name for output in session.get_outputs()]
    run = lambda images: dict(zip(names, map(packed, session.run(names, {"pixel_values": images}))))
    types = {tensor.name: onnx.TensorProto.DataType.Name(tensor.data_type) for tensor in model.graph.initializer}
    return {
        "opset": [[each.domain, each.version] for each in model.opset_import],
        "values": {each.name: [each.type, *each.shape] for each in [*session.get_inputs(), *session.get_outputs()]},
        "initializers": types,
        "metadata": session.get_modelmeta().custom_metadata_map,
        "producer": session.get_modelmeta().producer_name,
        "batch": run(pixels),
        "first": run(pixels[:1]),
    }


print(json.dumps({name: checked(case) for name, case in json.loads((FOLDER / "cases.json").read_text()).items()}))
