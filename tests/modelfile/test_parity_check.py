import numpy as np
import pytest

from tenfold.errors import ParityError
from tenfold.layers import Dense
from tenfold.modelfile import OnnxClassifier, check_parity, stress_images
from tenfold.modelfile.onnx_graph import to_onnx
from tenfold.network import Network


class Fixed:
    """A classifier that says the same, whatever it is shown."""

    def __init__(self, probabilities):
        self._probabilities = np.asarray(probabilities, np.float32)

    def predict_proba(self, images):
        return np.broadcast_to(self._probabilities, (len(images), *self._probabilities.shape))


EVEN = np.full(10, 0.1)


def shifted(by):
    return EVEN + np.array([by, -by, *[0] * 8])


def test_a_classifier_agrees_with_itself_exactly(noise):
    assert check_parity(Fixed(EVEN), Fixed(EVEN), noise) == 0


def test_the_gap_is_the_largest_difference_and_the_tolerance_its_bound(noise):
    # 1e-7: what 0.1 is rounded by in float32.
    assert check_parity(Fixed(EVEN), Fixed(shifted(9e-5)), noise) == pytest.approx(9e-5, abs=1e-7)
    with pytest.raises(ParityError, match=r"1\.10e-04.* 5 of 5 pictures"):
        check_parity(Fixed(EVEN), Fixed(shifted(1.1e-4)), noise)
    assert check_parity(Fixed(EVEN), Fixed(shifted(1.1e-4)), noise, tolerance=1e-3) > 1e-4


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_no_number_is_no_agreement_whoever_says_it(noise, bad):
    broken = Fixed([bad, *EVEN[1:]])
    for ours, theirs in [(Fixed(EVEN), broken), (broken, Fixed(EVEN)), (broken, broken)]:
        with pytest.raises(ParityError):
            check_parity(ours, theirs, noise)


def test_answers_of_another_shape_are_no_agreement(noise):
    with pytest.raises(ParityError, match=r"\(5, 10\).*\(5, 9\)"):
        check_parity(Fixed(EVEN), Fixed(EVEN[:9]), noise)


def test_a_fault_of_one_hundredth_in_any_array_is_found(mixed_network, draw_weights, small_digits):
    weights = draw_weights(mixed_network)
    ours = OnnxClassifier(to_onnx([(mixed_network, weights)]), source="ours")
    images = stress_images(small_digits.images)
    for name, array in weights.items():
        faulty = array.copy()
        faulty.flat[0] += 0.01
        wrong = to_onnx([(mixed_network, weights | {name: faulty})])
        theirs = OnnxClassifier(wrong, source="theirs")
        with pytest.raises(ParityError):
            check_parity(ours, theirs, images)


def test_a_fault_that_sure_answers_hide_is_found_in_faint_pictures(small_digits):
    # Logit k is the ink of the k-th tenth of the picture: tens for a digit, so softmax gives 0 or 1.
    network = Network(Dense(10))
    kernel = np.repeat(np.eye(10, dtype=np.float32), 79, axis=0)[:784] * 3
    weights = {"dense_1/kernel": kernel, "dense_1/bias": np.zeros(10, np.float32)}
    faulty = weights | {"dense_1/bias": np.float32([0.02, *[0] * 9])}
    ours, theirs = (
        OnnxClassifier(to_onnx([(network, w)]), source="test") for w in (weights, faulty)
    )
    clear = small_digits.images[ours.predict_proba(small_digits.images).max(axis=1) > 0.9999]
    assert len(clear) > 500
    assert check_parity(ours, theirs, clear) <= 1e-4
    with pytest.raises(ParityError):
        check_parity(ours, theirs, stress_images(clear))


def test_stress_pictures_are_the_same_each_time_and_hold_what_they_promise(small_digits):
    images = stress_images(small_digits.images)
    assert images.dtype == np.uint8
    assert 300 <= len(images) <= 435
    assert np.array_equal(images, stress_images(small_digits.images))
    shown = {image.tobytes() for image in images}
    black = np.zeros((28, 28), np.uint8)
    assert {black.tobytes(), (black + 255).tobytes()} <= shown
    for row, column in [(0, 0), (0, 27), (27, 0), (27, 27)]:
        lit = black.copy()
        lit[row, column] = 255
        assert lit.tobytes() in shown
    real = small_digits.images[0]
    moved = np.zeros_like(real)
    moved[4:] = real[:-4]
    for picture in (real, 255 - real, moved, real.T, real // 16):
        assert picture.tobytes() in shown
    ink = small_digits.images.sum(axis=(1, 2))
    for extreme in (ink.argmin(), ink.argmax()):
        assert small_digits.images[extreme].tobytes() in shown


def test_one_picture_is_enough_to_make_stress_from(noise):
    assert len(stress_images(noise[:1])) > 99
