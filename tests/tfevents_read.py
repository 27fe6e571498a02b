"""The event files that we write say to the tensorboard package what they should.

    tests/tfevents_read.py LOG_SAMPLES
"""
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

try:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
except ImportError:
    print("no tensorboard package")
    sys.exit(77)


def as_float(value):
    """What a 32-bit float keeps of the value."""
    return struct.unpack("f", struct.pack("f", value))[0]


def main():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.argv[1], folder], check=True)
        folder = pathlib.Path(folder)
        expected = json.loads((folder / "expected.json").read_text())["scalars"]
        # Every record's checksums hold: the loader stops at the first that does not.
        counts = [len(list(RawEventFileLoader(str(file)).Load())) for file in sorted((folder / "tensorboard").iterdir())]
        assert counts == [6, 4], counts

        events = EventAccumulator(str(folder / "tensorboard"))
        events.Reload()
        assert sorted(events.Tags()["scalars"]) == sorted(expected), events.Tags()
        for tag, points in expected.items():
            read = [[event.step, event.value] for event in events.Scalars(tag)]
            assert read == [[step, as_float(value)] for step, value in points], (tag, read, points)
        times = [event.wall_time for event in events.Scalars("train/learning_rate")]
        assert times == [1700000000.25, 1700000010.25, 1700000020.25], times
    print(f"tensorboard read {sum(map(len, expected.values()))} values of {len(expected)} tags")


main()
