"""A spectrogram, and two convolutions over time."""

import keras

import zoo

FRAME, STEP = 256, 128


def build(backbone, weights, file):
    sound = keras.Input((None,), name="sound")
    padded = keras.ops.pad(sound, [[0, 0], [0, FRAME]])
    real, imaginary = keras.ops.stft(padded, FRAME, STEP, FRAME)
    spectrum = keras.ops.log(keras.ops.sqrt(real**2 + imaginary**2 + 1e-6))
    prepared = {"frames": spectrum, "mask": keras.ops.ones_like(spectrum[:, :, :1])}
    preprocess = keras.Model(sound, prepared, name="preprocess")

    frames = keras.Input((None, FRAME // 2 + 1), name="frames")
    mask = keras.Input((None, 1), name="mask")  # 0 where a recording is filled up to the longest in its batch
    bands = keras.layers.Dense(16, activation="relu", name="bands")
    time = keras.layers.Conv1D(32, 3, padding="same", activation="relu", name="time")
    mix = keras.layers.Dense(32, activation="relu", name="mix")
    heard = mix(time(bands(frames) * mask)) * mask
    pooled = keras.ops.sum(heard, axis=1) / keras.ops.sum(mask, axis=1)
    network = keras.Model({"frames": frames, "mask": mask}, {"pooled": pooled}, name="spectrum_small")
    return zoo.Encoder(preprocess, network, stages=((bands,), (time,), (mix,)))
