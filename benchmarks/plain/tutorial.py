"""The script of the tutorial: load, freeze, pool, Dense 128, Dense classes, Adam, fit. Then perhaps the last stage.

python tutorial.py NETWORK SIZE DATA WEIGHTS EPOCHS [FIRST-LAYER-OF-THE-LAST-STAGE]
"""

import json
import sys
import time

import keras

network, size, data, weights, epochs = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4], int(sys.argv[5])
last_stage = sys.argv[6] if len(sys.argv) > 6 else ""
keras.utils.set_random_seed(0)
train, validation = (
    keras.utils.image_dataset_from_directory(
        f"{data}/{split}", image_size=(size, size), batch_size=32, seed=0, verbose=False
    )
    for split in ("train", "val")
)
module = {"ResNet50": keras.applications.resnet, "InceptionV3": keras.applications.inception_v3}[network]
base = getattr(keras.applications, network)(weights=None, include_top=False, input_shape=(size, size, 3))
base.load_weights(weights)
base.trainable = False
inputs = keras.Input((size, size, 3))
x = base(module.preprocess_input(inputs), training=False)
x = keras.layers.GlobalAveragePooling2D()(x)
x = keras.layers.Dense(128, activation="relu")(x)
outputs = keras.layers.Dense(len(train.class_names), activation="softmax")(x)
model = keras.Model(inputs, outputs)
seconds: list[float] = []


class Clock(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        seconds.append(time.perf_counter() - self.start)


def fit(rate: float) -> list[float]:
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    done = model.fit(train, validation_data=validation, epochs=epochs, verbose=0, callbacks=[Clock()])
    return done.history["val_accuracy"]


accuracy = fit(1e-3)
if last_stage:
    seconds.clear()
    base.trainable = True
    names = [layer.name for layer in base.layers]
    for layer in base.layers[: names.index(last_stage)]:
        layer.trainable = False
    for layer in base.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False
    accuracy = fit(1e-4)
print(json.dumps({"accuracy": accuracy[-1], "best_accuracy": max(accuracy), "epochs": seconds}))
