"""Predict with a model of `zoo` by Keras alone: python predict.py MODEL FOLDER. Prints {file name: label}."""

import json
import sys
import zipfile
from pathlib import Path

import keras
import numpy as np

model = keras.models.load_model(sys.argv[1], compile=False)
labels = json.loads(zipfile.ZipFile(sys.argv[1]).read("zoo.json"))["task"]["labels"]
files = sorted(Path(sys.argv[2]).rglob("*.jpg"))


def batches():
    for start in range(0, len(files), 32):
        pictures = [keras.utils.load_img(file) for file in files[start : start + 32]]  # of one size; the model resizes
        yield np.stack([keras.utils.img_to_array(picture) for picture in pictures])


shares = np.concatenate([model.predict_on_batch(batch) for batch in batches()])
print(json.dumps({file.name: labels[i] for file, i in zip(files, shares.argmax(1), strict=True)}))
