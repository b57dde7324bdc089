"""A spectrogram, and two convolutions over time."""

import keras

import zoo

FRAME, STEP = 256, 128


def build(backbone, weights, file):
    sound = keras.Input((None,), name="sound")
    padded = keras.ops.pad(sound, [[0, 0], [0, FRAME]])
    real, imaginary = keras.ops.stft(padded, FRAME, STEP, FRAME)
    spectrum = keras.ops.log(keras.ops.sqrt(real**2 + imaginary**2 + 1e-6))
    preprocess = keras.Model(sound, spectrum, name="preprocess")

    frames = keras.Input((None, FRAME // 2 + 1), name="frames")
    bands = keras.layers.Dense(16, activation="relu", name="bands")
    time = keras.layers.Conv1D(32, 3, padding="same", activation="relu", name="time")
    mix = keras.layers.Dense(32, activation="relu", name="mix")
    pooled = keras.layers.GlobalAveragePooling1D()(mix(time(bands(frames))))
    network = keras.Model(frames, {"pooled": pooled}, name="spectrum_small")
    return zoo.Encoder(preprocess, network, stages=((bands,), (time,), (mix,)))
