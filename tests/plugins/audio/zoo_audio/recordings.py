"""Recordings: mono sound of 8,000 samples a second, read from WAV files by libsndfile."""

import io

import numpy as np
import soundfile

import zoo

RATE = 8_000


class Recordings(zoo.Reader):
    """Samples -1..1, float32 (samples,), of any length."""

    unit = "recordings"
    dtype = "float32"
    shape = (None,)
    suffixes = (".wav",)

    @property
    def forms(self):
        return {"single": zoo.one_file("audio")}

    def decode(self, file, wanted=None):
        try:
            sound, rate = soundfile.read(file, dtype="float32", always_2d=True)
        except (soundfile.LibsndfileError, TypeError) as error:
            raise zoo.BadData(f"not a recording: {error}") from None
        if rate != RATE:
            raise zoo.BadData(f"{rate} samples a second, where {RATE} are expected")
        return self.checked(sound.mean(axis=1))

    def checked(self, value):
        if not isinstance(value, np.ndarray) or value.dtype != np.float32 or value.ndim != 1 or not len(value):
            raise zoo.BadData("not a recording: give a WAV file, its bytes, or float32 (samples,)")
        return value

    def fingerprint(self, value):
        return zoo.digest(value.tobytes())

    def samples(self, count):
        time = np.arange(RATE) / RATE
        return [np.sin(2 * np.pi * (200 + 50 * number) * time).astype("float32") for number in range(count)]

    def show(self, value):
        file = io.BytesIO()
        soundfile.write(file, value, RATE, format="WAV")
        return zoo.Shown("audio/wav", file.getvalue())
