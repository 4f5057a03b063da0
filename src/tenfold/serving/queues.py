"""Work off the event loop: how much of it waits, who is sent away, and the thread that asks the classifier.

The event loop only takes requests in and gives answers out. What takes time is done by threads, each behind a
queue that admits no more than it can do in time. Knows nothing about HTTP.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

import numpy as np

from tenfold.digits import Classifier, Images, Probabilities
from tenfold.serving.problems import Busy

MAX_BATCH = 256
"""Pictures that the classifier is asked about at once."""
# So long a batch that is not full waits for more. An answer takes several times as long.
GATHER_SECONDS = 0.001
# The share of the past that counts in what a piece of work takes: about the last ten of them.
MEMORY = 0.9

Given = ParamSpec("Given")
T = TypeVar("T")


class Backlog:
    """How much work waits, how long it will take as far as the past tells, and whether more may be added.

    Args:
        max_seconds: how long the work that waits may take. What comes to an empty queue is always taken.
        workers: how many do it at the same time.
    """

    def __init__(self, max_seconds: float, *, workers: int = 1) -> None:
        self._max_seconds, self._workers = max_seconds, workers
        self._waiting = 0.0
        # With nothing done yet, nothing is known, and nobody is sent away.
        self._seconds = self._done = 0.0

    @property
    def seconds(self) -> float:
        """How long what waits will take."""
        pace = self._seconds / self._done if self._done else 0.0
        return self._waiting * pace / self._workers

    def add(self, amount: float) -> None:
        """Work of this amount, in any unit, begins to wait; Busy where too much waits already."""
        if self.seconds > self._max_seconds:
            raise Busy(self.seconds - self._max_seconds)
        self._waiting += amount

    def remove(self, amount: float) -> None:
        """It waits no longer: it is done, or nobody wants it any more."""
        self._waiting -= amount

    def learn(self, amount: float, seconds: float) -> None:
        """Work of this amount took one worker so long."""
        self._seconds = MEMORY * self._seconds + seconds
        self._done = MEMORY * self._done + amount


class Workers:
    """Threads that do one kind of work, each piece of it for one request."""

    def __init__(self, count: int, *, max_seconds: float, name: str) -> None:
        self._threads = ThreadPoolExecutor(count, thread_name_prefix=name)
        self._backlog = Backlog(max_seconds, workers=count)

    async def run(
        self, amount: float, work: Callable[Given, T], *given: Given.args, **more: Given.kwargs
    ) -> T:
        """Have `work` done by one of the threads; Busy where too much waits already."""

        def timed() -> T:
            begin = time.perf_counter()
            try:
                return work(*given, **more)
            finally:
                loop.call_soon_threadsafe(self._backlog.learn, amount, time.perf_counter() - begin)

        loop = asyncio.get_running_loop()
        self._backlog.add(amount)
        future = self._threads.submit(timed)
        # Not when the request ends: a thread that has begun goes on, and is not free before it is done.
        future.add_done_callback(lambda _: loop.call_soon_threadsafe(self._backlog.remove, amount))
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Wait for what has begun, and drop what has not."""
        self._threads.shutdown(wait=True, cancel_futures=True)


@dataclass(eq=False, slots=True)
class _Question:
    images: Images
    answer: "asyncio.Future[Probabilities]"
    ends: float
    """On the monotonic clock; after it nobody waits for the answer."""


class InferenceQueue:
    """Asks one classifier, in one thread, about the pictures of many requests at once.

    Args:
        classifier: what is asked.
        max_seconds: how long the pictures that wait may take.
    """

    def __init__(self, classifier: Classifier, *, max_seconds: float) -> None:
        self._classifier = classifier
        self._backlog = Backlog(max_seconds)
        self._questions: deque[_Question] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="tenfold-inference", daemon=True)
        self._thread.start()

    async def ask(self, images: Images, *, seconds: float) -> Probabilities:
        """images uint8 (n, 28, 28) -> float32 (n, 10).

        Raises:
            Busy: too many pictures wait already, or no answer came within `seconds`.
        """
        self._backlog.add(len(images))
        try:
            question = _Question(images, self._loop.create_future(), time.monotonic() + seconds)
            with self._changed:
                self._questions.append(question)
                self._changed.notify()
            return await question.answer
        finally:
            self._backlog.remove(len(images))

    def close(self) -> None:
        """Answer what was asked, then end the thread."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while batch := self._next_batch():
            now = time.monotonic()
            late = [question for question in batch if question.ends <= now]
            # A cancelled question is one whose request has ended.
            open_ones = [q for q in batch if q.ends > now and not q.answer.cancelled()]
            self._deliver([(question, Busy()) for question in late])
            if open_ones:
                self._deliver(self._answered(open_ones))

    def _next_batch(self) -> list[_Question]:
        """Wait for questions -> as many as fit into one batch; none once the queue is closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._questions or self._closing)
            waiting = sum(len(question.images) for question in self._questions)
        if waiting < MAX_BATCH and not self._closing:
            time.sleep(GATHER_SECONDS)
        batch: list[_Question] = []
        pictures = 0
        with self._changed:
            while self._questions:
                pictures += len(self._questions[0].images)
                if batch and pictures > MAX_BATCH:
                    break
                batch.append(self._questions.popleft())
        return batch

    def _answered(
        self, questions: list[_Question]
    ) -> "list[tuple[_Question, Probabilities | Exception]]":
        images = np.concatenate([question.images for question in questions])
        begin = time.perf_counter()
        try:
            probabilities = self._classifier.predict_proba(images)
        except Exception as error:
            # Each request that asked gets it; the thread lives on for the next ones.
            return [(question, error) for question in questions]
        took = time.perf_counter() - begin
        self._loop.call_soon_threadsafe(self._backlog.learn, len(images), took)
        ends = np.cumsum([len(question.images) for question in questions])[:-1]
        return list(zip(questions, np.split(probabilities, ends), strict=True))

    def _deliver(self, answers: "list[tuple[_Question, Probabilities | Exception]]") -> None:
        self._loop.call_soon_threadsafe(_set, answers)


def _set(answers: "list[tuple[_Question, Probabilities | Exception]]") -> None:
    for question, answer in answers:
        if question.answer.done():
            continue
        if isinstance(answer, Exception):
            question.answer.set_exception(answer)
        else:
            question.answer.set_result(answer)
