"""Many ask at once: every one gets its own answer, in batches, or is told to come again."""

import asyncio
import threading
import time

import numpy as np
import pytest

from tenfold.serving.problems import Busy
from tenfold.serving.queues import MAX_BATCH, Backlog, InferenceQueue, Workers


def with_queue(classifier, use, *, max_seconds=60.0, threads=1):
    """What `use` gives, called with a queue on an event loop of its own."""

    async def run():
        queue = InferenceQueue(classifier, max_seconds=max_seconds, threads=threads)
        try:
            return await use(queue)
        finally:
            classifier.hold.set()
            queue.close()

    return asyncio.run(run())


async def told(queue, images, *, seconds=60):
    """What the queue's classifier says of images that are there already; they come back with it."""
    answer = await queue.ask(lambda: images, amount=len(images), seconds=seconds)
    assert answer.images is images
    return answer.probabilities


def test_a_thousand_askers_get_their_own_answers_in_few_batches(
    classifier, different_images, signed
):
    images, sizes = different_images(3_000), np.tile([1, 5, 3, 2, 4], 200)
    parts = np.split(images, np.cumsum(sizes)[:-1])

    async def use(queue):
        return await asyncio.gather(*(told(queue, part) for part in parts))

    answers = with_queue(classifier, use)
    for part, answer in zip(parts, answers, strict=True):
        np.testing.assert_array_equal(answer, signed(part))
    assert sum(classifier.batches) == 3_000
    assert max(classifier.batches) <= MAX_BATCH
    assert len(classifier.batches) < 100


def test_a_full_batch_and_one_that_is_larger_are_answered(classifier, different_images, signed):
    images = different_images(2 * MAX_BATCH)

    async def use(queue):
        return await asyncio.gather(*(told(queue, images) for _ in range(2)))

    for answer in with_queue(classifier, use):
        np.testing.assert_array_equal(answer, signed(images))


def test_askers_who_leave_change_nothing_for_those_who_stay(classifier, different_images, signed):
    images = different_images(300)
    classifier.hold.clear()

    async def use(queue):
        asked = [asyncio.create_task(told(queue, image[None])) for image in images]
        await asyncio.sleep(0.05)
        for task in asked[::3]:
            task.cancel()
        classifier.hold.set()
        return await asyncio.gather(*asked, return_exceptions=True)

    answers = with_queue(classifier, use)
    for number, (image, answer) in enumerate(zip(images, answers, strict=True)):
        if number % 3:
            np.testing.assert_array_equal(answer, signed(image[None]))
        else:
            assert isinstance(answer, asyncio.CancelledError)


def test_a_fault_reaches_those_who_asked_and_nobody_after_them(
    classifier, different_images, signed
):
    images = different_images(1)

    async def use(queue):
        classifier.fault = RuntimeError("planted")
        with pytest.raises(RuntimeError, match="planted"):
            await told(queue, images)
        classifier.fault = None
        return await told(queue, images)

    np.testing.assert_array_equal(with_queue(classifier, use), signed(images))


def test_what_cannot_be_made_is_the_fault_of_one_request(classifier, different_images, signed):
    images = different_images(10)
    classifier.hold.clear()

    def broken():
        raise ValueError("planted")

    async def use(queue):
        first = asyncio.create_task(told(queue, images[:1]))
        await asyncio.sleep(0.05)
        # These wait while the first is told, and are one batch.
        asked = [asyncio.create_task(told(queue, images[1:5]))]
        asked.append(asyncio.create_task(queue.ask(broken, amount=1, seconds=60)))
        asked.append(asyncio.create_task(told(queue, images[5:])))
        await asyncio.sleep(0.05)
        classifier.hold.set()
        await first
        return await asyncio.gather(*asked, return_exceptions=True)

    before, fault, after = with_queue(classifier, use)
    assert str(fault) == "planted"
    np.testing.assert_array_equal(before, signed(images[1:5]))
    np.testing.assert_array_equal(after, signed(images[5:]))
    assert classifier.batches == [1, 9]


def test_what_takes_long_to_make_holds_nobody_up_where_there_is_another_thread(
    classifier, different_images, signed
):
    images = different_images(50)
    made = threading.Event()

    def slow():
        assert made.wait(10)
        return images[:1]

    async def use(queue):
        large = asyncio.create_task(queue.ask(slow, amount=1, seconds=60))
        await asyncio.sleep(0.05)
        small = [await told(queue, image[None]) for image in images]
        assert not large.done()
        made.set()
        return np.concatenate(small), (await large).probabilities

    small, large = with_queue(classifier, use, threads=2)
    np.testing.assert_array_equal(small, signed(images))
    np.testing.assert_array_equal(large, signed(images[:1]))


def test_who_waited_too_long_is_sent_away_without_work(classifier, different_images):
    images = different_images(2)
    classifier.hold.clear()

    async def use(queue):
        first = asyncio.create_task(told(queue, images[:1]))
        await asyncio.sleep(0.05)
        second = asyncio.create_task(told(queue, images[1:], seconds=0.05))
        await asyncio.sleep(0.1)
        classifier.hold.set()
        await first
        with pytest.raises(Busy):
            await second

    with_queue(classifier, use)
    assert classifier.batches == [1]


def test_the_queue_admits_what_it_can_do_in_time_and_says_when_to_come_again(
    classifier, different_images
):
    images = different_images(10)
    classifier.seconds = 0.1

    async def use(queue):
        # From one batch of 10 pictures in 0.1 seconds the queue knows the pace: 100 a second.
        await told(queue, images)
        classifier.hold.clear()
        asked = []
        for _ in range(200):
            asked.append(asyncio.create_task(told(queue, images[:1])))
            await asyncio.sleep(0)
        await asyncio.sleep(0.05)
        refused = [task.exception() for task in asked if task.done()]
        classifier.hold.set()
        answered = [task for task in asked if not task.done()]
        await asyncio.gather(*answered)
        return len(answered), refused

    answered, refused = with_queue(classifier, use, max_seconds=0.5)
    # 0.5 seconds are 50 pictures, and the one that finds the queue just not too long.
    assert 45 <= answered <= 52
    assert all(isinstance(error, Busy) for error in refused)
    assert len(refused) == 200 - answered


def test_what_was_asked_before_the_end_is_answered(classifier, different_images, signed):
    images = different_images(500)
    classifier.hold.clear()

    async def run():
        queue = InferenceQueue(classifier, max_seconds=60)
        asked = [asyncio.create_task(told(queue, image[None])) for image in images]
        await asyncio.sleep(0.05)
        classifier.hold.set()
        await asyncio.to_thread(queue.close)
        return await asyncio.gather(*asked)

    np.testing.assert_array_equal(np.concatenate(asyncio.run(run())), signed(images))


def test_a_backlog_counts_seconds_by_what_it_has_learnt():
    backlog = Backlog(1.0, workers=2)
    backlog.add(1_000)
    assert backlog.seconds == 0
    backlog.learn(10, 0.1)
    assert backlog.seconds == pytest.approx(1_000 * 0.01 / 2)
    with pytest.raises(Busy) as busy:
        backlog.add(1)
    assert dict(busy.value.headers)["retry-after"] == "4"
    backlog.remove(1_000)
    backlog.add(1)


def test_workers_do_not_hold_up_the_loop_and_hand_faults_on():
    async def run():
        workers = Workers(2, max_seconds=60, name="test")
        begin = time.monotonic()
        slow = [asyncio.create_task(workers.run(1, time.sleep, 0.2)) for _ in range(2)]
        await asyncio.sleep(0.01)
        quick = time.monotonic() - begin
        await asyncio.gather(*slow)
        with pytest.raises(ZeroDivisionError):
            await workers.run(1, lambda: 1 / 0)
        assert await workers.run(1, max, 3, 7) == 7
        workers.close()
        return quick, time.monotonic() - begin

    quick, both = asyncio.run(run())
    assert quick < 0.15
    # One after the other they would take 0.4.
    assert 0.2 <= both < 0.38
