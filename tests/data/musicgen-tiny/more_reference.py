#!/usr/bin/env python3
"""Writes more_reference.safetensors beside each reference.safetensors: a greedy piece of 30 s, and logits under different conditions.

    python more_reference.py FOLDER...        (mono, stereo; needs torch and transformers, 5.23.0 when this was made)

A teacher-forced pass behind the conditioning prefix must give the same codes as `generate()`: some versions of transformers drop the
prefix without a word, and then this stops. So it does when two conditions give the same logits.
"""
import copy
import os
import sys

os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
import torch
from safetensors.torch import load_file, save_file

torch.version.cuda = None  # only so that torchaudio imports beside any build of torch
from transformers import MusicgenMelodyForConditionalGeneration, PreTrainedTokenizerFast  # noqa: E402

TEXTS = {"a": "warm lofi piano with soft vinyl crackle and a slow swing beat", "b": "solo violin", "none": ""}
CONDITIONS = [("a", "a"), ("b", "a"), ("none", "a"), ("a", "b"), ("a", "none"), ("none", "none")]  # melody, text
LAST = 3  # columns whose logits are kept
FRAMES = 1500
DELAYS = 4  # three columns of delay and the first one


def prefix(model, tokenizer, melody, text):
    """As generate() builds it: row 0 conditional, row 1 null. An empty text is masked, as audiocraft does."""
    ids = torch.tensor([tokenizer(text).input_ids])
    mask = torch.ones_like(ids) if text else torch.zeros_like(ids)
    config = copy.deepcopy(model.generation_config)
    config.guidance_scale, config.output_attentions, config.output_hidden_states = 3.0, False, False
    given = {"attention_mask": mask, "use_cache": True}
    if melody is not None:
        given["input_features"] = melody
    return model._prepare_encoder_hidden_states_kwargs_for_generation(ids, given, "input_ids", config)[
        "encoder_hidden_states"]


def forward(model, prefix, columns):
    """Logits (2, codebooks, columns, codes) of one full pass."""
    codebooks, count = columns.shape
    both = columns[None].repeat(2, 1, 1).reshape(2 * codebooks, count)
    logits = model.decoder(input_ids=both, encoder_hidden_states=prefix, use_cache=False).logits
    return logits.reshape(2, codebooks, -1, model.config.decoder.vocab_size)[:, :, -count:]


def conditions(model, tokenizer, reference, result):
    melodies = {"a": reference["chroma.a.onehot"], "b": reference["chroma.b.onehot"], "none": None}
    columns = reference["dec.input_ids"].long()
    for melody, text in CONDITIONS:
        logits = forward(model, prefix(model, tokenizer, melodies[melody], TEXTS[text]), columns)[:, :, -LAST:]
        result[f"conditions.melody_{melody}.text_{text}.cond"] = logits[0].contiguous()
        result[f"conditions.melody_{melody}.text_{text}.uncond"] = logits[1].contiguous()
    first = result["conditions.melody_a.text_a.cond"]
    for melody, text in CONDITIONS[1:]:
        assert (first - result[f"conditions.melody_{melody}.text_{text}.cond"]).abs().max() > 1e-2, (melody, text)


def long_greedy(model, tokenizer, reference, result, folder):
    decoder = model.config.decoder
    codebooks, channels, pad = decoder.num_codebooks, decoder.audio_channels, decoder.pad_token_id
    captured = []
    decode = model.audio_encoder.decode

    def spy(codes, *rest, **named):
        captured.append(codes.clone())
        return decode(codes, *rest, **named)

    model.audio_encoder.decode = spy
    ids = torch.tensor([tokenizer(TEXTS["a"]).input_ids])
    melody = reference["chroma.a.onehot"]
    model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), input_features=melody, do_sample=False,
                   guidance_scale=3.0, max_length=FRAMES + DELAYS)
    codes = torch.stack([codes[0, 0] for codes in captured], dim=1).reshape(codebooks, -1)
    assert codes.shape == (codebooks, FRAMES), codes.shape
    columns = torch.full((codebooks, FRAMES + DELAYS), pad)
    for k in range(codebooks):
        columns[k, 1 + k // channels:1 + k // channels + FRAMES] = codes[k]
    logits = forward(model, prefix(model, tokenizer, melody, TEXTS["a"]), columns)
    guided = logits[1] + 3.0 * (logits[0] - logits[1])
    smallest = float("inf")
    for k in range(codebooks):
        own = guided[k, k // channels:k // channels + FRAMES]
        best = own.topk(2, -1).values
        gap = best[:, 0] - best[:, 1]
        # Rounding may turn the nearest ones around, and only those.
        assert bool(((own.argmax(-1) == codes[k]) | (gap < 1e-4)).all()), k
        smallest = min(smallest, float(gap.min()))
    result["long_greedy.codes"] = codes.to(torch.uint8 if decoder.vocab_size <= 256 else torch.int32).contiguous()
    result["long_greedy.min_top2_gap"] = torch.tensor([smallest])
    print(folder, "smallest gap of the two best logits", smallest, "distinct codes", codes.unique().numel())


def main(folder):
    torch.set_num_threads(1)
    model = MusicgenMelodyForConditionalGeneration.from_pretrained(folder).eval()
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    reference = load_file(os.path.join(folder, "reference.safetensors"))
    result = {}
    with torch.no_grad():
        conditions(model, tokenizer, reference, result)
        long_greedy(model, tokenizer, reference, result, folder)
    save_file(result, os.path.join(folder, "more_reference.safetensors"))
    os.chmod(os.path.join(folder, "more_reference.safetensors"), 0o644)


for folder in sys.argv[1:]:
    main(folder)
