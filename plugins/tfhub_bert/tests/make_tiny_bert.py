"""Writes the SavedModels of `tiny_bert.zip` with the exporter of tf-models-official 2.20, which is none of our code.

In an environment of its own: `pip install tf-models-official==2.20 tensorflow-text "setuptools<82"`, then
`python make_tiny_bert.py FOLDER`, and zip the folders `encoder` and `preprocessor`.
"""

import os
import sys

os.environ["TF_USE_LEGACY_KERAS"] = "1"
import tensorflow as tf
from official.nlp.configs import encoders
from official.nlp.tools import export_tfhub_lib

WORDS = "[PAD] [unused0] [UNK] [CLS] [SEP] [MASK] the a good bad film was not very it is ##s ##ly ##ing great awful"
WORDS += " i loved hated this movie"
letters = [chr(code) for code in range(97, 123)]

out = sys.argv[1]
os.makedirs(out, exist_ok=True)
vocabulary = os.path.join(out, "vocab.txt")
tokens = list(dict.fromkeys([*WORDS.split(), *letters, *(f"##{letter}" for letter in letters), *".,!?'"]))
with open(vocabulary, "w") as file:
    file.write("\n".join(tokens) + "\n")
bert = encoders.BertEncoderConfig(
    vocab_size=len(tokens),
    hidden_size=32,
    num_layers=2,
    num_attention_heads=2,
    intermediate_size=64,
    max_position_embeddings=64,
)
config = encoders.EncoderConfig(type="bert", bert=bert)
tf.random.set_seed(1)
checkpoint = tf.train.Checkpoint(encoder=encoders.build_encoder(config)).save(os.path.join(out, "ckpt"))
export_tfhub_lib.export_model(
    os.path.join(out, "encoder"),
    encoder_config=config,
    model_checkpoint_path=checkpoint,
    with_mlm=False,
    vocab_file=vocabulary,
    do_lower_case=True,
)
export_tfhub_lib.export_preprocessing(
    os.path.join(out, "preprocessor"),
    vocab_file=vocabulary,
    do_lower_case=True,
    default_seq_length=32,
    tokenize_with_offsets=False,
)
