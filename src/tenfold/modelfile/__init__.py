"""Model files: what training leaves behind, and the Classifiers that use it.

    native      a model folder: networks, weights, ONNX graph, what they were trained on, sealed
    onnx_graph  networks and weights -> one self-contained ONNX file
    classifier  a run folder, a model folder or an .onnx file -> something with predict_proba
    pretrained  the model that the package brings along
    parity      pictures that stress a classifier, and the check that two classifiers agree
    quantized   an ONNX model -> the same in 8 bits
    flat        a model as plain steps and arrays, for readers in any language; as .npz
    run_npz     such a reader, in NumPy alone
    web         a folder with a static page that runs a model; web_page/ is the page
    litert      a .tflite file -> a Classifier
    script      a recipe -> the standalone Keras script that does the same

No model file can carry code: a network is built from tenfold's own classes, arrays are assigned by
name and shape, and using a model needs neither Keras nor TensorFlow.
"""

from tenfold.modelfile.classifier import OnnxClassifier, find_model, open_classifier, trained_on
from tenfold.modelfile.native import MANIFEST, Model, describe_members, load_model, save_model
from tenfold.modelfile.parity import check_parity, stress_images
from tenfold.modelfile.pretrained import PRETRAINED, pretrained
from tenfold.modelfile.script import to_script

__all__ = [
    "MANIFEST",
    "PRETRAINED",
    "Model",
    "OnnxClassifier",
    "check_parity",
    "describe_members",
    "find_model",
    "load_model",
    "open_classifier",
    "pretrained",
    "save_model",
    "stress_images",
    "to_script",
    "trained_on",
]
