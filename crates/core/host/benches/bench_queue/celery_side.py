"""No-op tasks through Celery: celery_side.py publish|run URL JOBS prints jobs a second."""

import mmap
import os
import signal
import struct
import sys
import threading
import time

from billiard import current_process
from celery import Celery

PROCESSES = 2
verb, url, jobs = sys.argv[1], sys.argv[2], int(sys.argv[3])

app = Celery("bench", broker=url)
app.conf.update(
    task_acks_late=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=16,
    worker_disable_rate_limits=True,
    worker_redirect_stdouts=False,
    broker_connection_retry_on_startup=True,
)

# A slot a process: tasks run, time of the first, time of the last. Made before the fork, so that all share it.
SLOT = struct.Struct("qdd")
board = mmap.mmap(-1, PROCESSES * SLOT.size)


@app.task(name="noop")
def noop(track):
    place = current_process().index * SLOT.size
    ran, first, _ = SLOT.unpack_from(board, place)
    now = time.monotonic()
    SLOT.pack_into(board, place, ran + 1, first or now, now)


def publish():
    noop.delay("track")  # connects
    began = time.monotonic()
    for number in range(jobs - 1):
        noop.delay(f"track{number:017}")
    print((jobs - 1) / (time.monotonic() - began))


def stop_after_the_last():
    while sum(ran for ran, _, _ in slots()) < jobs:
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGTERM)


def slots():
    return [SLOT.unpack_from(board, process * SLOT.size) for process in range(PROCESSES)]


def run():
    threading.Thread(target=stop_after_the_last, daemon=True).start()
    options = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel=ERROR"]
    try:
        app.worker_main(["worker", "--pool=prefork", f"--concurrency={PROCESSES}", *options])
    finally:
        first = min(first for ran, first, _ in slots() if ran)
        last = max(last for _, _, last in slots())
        print(jobs / (last - first), flush=True)


{"publish": publish, "run": run}[verb]()
