"""Work off the event loop: how much of it waits, who is sent away, and the threads that ask the classifier.

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
from typing import NamedTuple, ParamSpec, TypeVar

import numpy as np

from tenfold.digits import Classifier, Images, Probabilities
from tenfold.serving.problems import Busy

MAX_BATCH = 256
"""Pictures that the classifier is asked about at once."""
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


class Answer(NamedTuple):
    """Images uint8 (n, 28, 28), and what the classifier says of them: float32 (n, 10)."""

    images: Images
    probabilities: Probabilities


@dataclass(eq=False, slots=True)
class _Question:
    make: Callable[[], Images]
    amount: float
    ends: float
    """On the monotonic clock; after it nobody waits for the answer."""
    answer: "asyncio.Future[Answer]"


_Answers = list[tuple[_Question, Answer | Exception]]


class InferenceQueue:
    """Makes the pictures of many requests and asks one classifier about them, as many at once as wait.

    The thread that makes pictures asks about them too, and waits for no more to come: to hand a small picture to another
    thread takes longer than to bring it into form (docs/experiments.md).

    Args:
        classifier: what is asked, by several threads at the same time.
        max_seconds: how long what waits may take.
        threads: how many do it. While one is at work on a large picture, small ones go to the others.
    """

    def __init__(self, classifier: Classifier, *, max_seconds: float, threads: int = 1) -> None:
        self._classifier = classifier
        self._backlog = Backlog(max_seconds, workers=threads)
        self._questions: deque[_Question] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._loop = asyncio.get_running_loop()
        self._threads = [
            threading.Thread(target=self._run, name=f"tenfold-inference-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    async def ask(self, make: Callable[[], Images], *, amount: float, seconds: float) -> Answer:
        """What the classifier says of the images uint8 (n, 28, 28) that `make` gives.

        Args:
            make: called in another thread, or not at all where nobody waits any more; what it raises is raised here.
            amount: of work, in images that are there already.
            seconds: how long the answer is waited for.

        Raises:
            Busy: too much waits already, or nothing was begun within `seconds`.
        """
        self._backlog.add(amount)
        try:
            ends = time.monotonic() + seconds
            question = _Question(make, amount, ends, self._loop.create_future())
            with self._changed:
                self._questions.append(question)
                self._changed.notify()
            return await question.answer
        finally:
            self._backlog.remove(amount)

    def close(self) -> None:
        """Answer what was asked, then end the threads."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while batch := self._next_batch():
            begin = time.perf_counter()
            answers = self._answered(batch)
            # Who is sent away took no time.
            done = sum(question.amount for question, got in answers if not isinstance(got, Busy))
            self._loop.call_soon_threadsafe(
                self._deliver, answers, done, time.perf_counter() - begin
            )

    def _next_batch(self) -> list[_Question]:
        """Wait for questions -> as many as fit into one batch; none once the queue is closed and empty."""
        batch: list[_Question] = []
        amount = 0.0
        with self._changed:
            self._changed.wait_for(lambda: self._questions or self._closing)
            while self._questions:
                amount += self._questions[0].amount
                if batch and amount > MAX_BATCH:
                    break
                batch.append(self._questions.popleft())
        return batch

    def _answered(self, questions: list[_Question]) -> _Answers:
        """The questions that are still open, each with its answer or with what went wrong."""
        answers: _Answers = []
        made: list[tuple[_Question, Images]] = []
        for question in questions:
            # A cancelled question is one whose request has ended.
            if question.answer.cancelled():
                continue
            try:
                if question.ends <= time.monotonic():
                    raise Busy()
                made.append((question, question.make()))
            except Exception as error:
                answers.append((question, error))
        if made:
            answers += self._told(made)
        return answers

    def _told(self, made: list[tuple[_Question, Images]]) -> _Answers:
        try:
            probabilities = self._classifier.predict_proba(
                np.concatenate([images for _, images in made])
            )
        except Exception as error:
            # Each request that asked gets it; the thread lives on for the next ones.
            return [(question, error) for question, _ in made]
        ends = np.cumsum([len(images) for _, images in made])[:-1]
        parts = np.split(probabilities, ends)
        return [
            (question, Answer(images, part))
            for (question, images), part in zip(made, parts, strict=True)
        ]

    def _deliver(self, answers: _Answers, amount: float, seconds: float) -> None:
        if amount:
            self._backlog.learn(amount, seconds)
        for question, answer in answers:
            if question.answer.done():
                continue
            if isinstance(answer, Exception):
                question.answer.set_exception(answer)
            else:
                question.answer.set_result(answer)
