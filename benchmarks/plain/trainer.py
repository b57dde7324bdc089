"""Hugging Face's Trainer on the reviews: python trainer.py MODEL-FOLDER TRAIN.csv TEST.csv EPOCHS BATCH RATE

MiniLM with its mean pooling, dropout and a linear layer for the standardised rating; AdamW, linear warm-up and decay.
"""

import csv
import json
import sys
import tempfile

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer, DataCollatorWithPadding, Trainer, TrainingArguments, set_seed

folder, train_file, test_file = sys.argv[1:4]
epochs, batch, rate = int(sys.argv[4]), int(sys.argv[5]), float(sys.argv[6])
set_seed(0)
tokenizer = AutoTokenizer.from_pretrained(folder)


def read(path):
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [row["text"] for row in rows], np.array([float(row["rating"]) for row in rows], "float32")


class Regressor(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = AutoModel.from_pretrained(folder)
        self.drop, self.out = torch.nn.Dropout(0.2), torch.nn.Linear(384, 1)

    def forward(self, input_ids, attention_mask, token_type_ids=None, labels=None):
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        share = attention_mask.unsqueeze(-1).to(hidden.dtype)
        pooled = (hidden * share).sum(1) / share.sum(1).clamp(min=1)
        values = self.out(self.drop(pooled)).squeeze(-1)
        loss = torch.nn.functional.mse_loss(values, labels) if labels is not None else None
        return {"loss": loss, "logits": values}


texts, ratings = read(train_file)
test_texts, test_ratings = read(test_file)
mean, std = ratings.mean(), ratings.std()


def dataset(sentences, targets):
    encoded = tokenizer(sentences, truncation=True, max_length=256)
    return [
        {"input_ids": ids, "attention_mask": mask, "labels": float((target - mean) / std)}
        for ids, mask, target in zip(encoded["input_ids"], encoded["attention_mask"], targets, strict=True)
    ]


with tempfile.TemporaryDirectory() as scratch:
    arguments = TrainingArguments(
        output_dir=scratch,
        num_train_epochs=epochs,
        per_device_train_batch_size=batch,
        per_device_eval_batch_size=batch,
        learning_rate=rate,
        weight_decay=0.01,
        warmup_steps=round(0.1 * epochs * len(texts) / batch),
        lr_scheduler_type="linear",
        max_grad_norm=1.0,
        eval_strategy="epoch",
        save_strategy="no",
        report_to="none",
        logging_strategy="no",
        disable_tqdm=True,
        use_cpu=True,
        seed=0,
        dataloader_pin_memory=False,
    )
    test = dataset(test_texts, test_ratings)
    trainer = Trainer(
        model=Regressor(),
        args=arguments,
        train_dataset=dataset(texts, ratings),
        eval_dataset=test,
        data_collator=DataCollatorWithPadding(tokenizer),
    )
    done = trainer.train()
    said = trainer.predict(test).predictions
print(
    json.dumps({"pearson_r": float(np.corrcoef(said, test_ratings)[0, 1]), "training": done.metrics["train_runtime"]})
)
