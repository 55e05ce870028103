#!/usr/bin/env python3
"""Writes the folder `audiocraft`: a tiny model in audiocraft's own files, and logits that transformers computes with the same weights.

    python make_audiocraft.py FOLDER TOKENIZER_FOLDER        (needs torch and transformers, 5.23.0 when this was made)

One head of 64, as wide as in every published model, because these files do not say how many heads there are. 16-bit weights of the language
model, as published; they are rounded before the reference is computed.
"""
import collections
import json
import math
import os
import shutil
import sys

os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
import torch
from safetensors.torch import save_file

torch.version.cuda = None  # only so that torchaudio imports beside any build of torch
from transformers import (EncodecConfig, MusicgenMelodyConfig, MusicgenMelodyForConditionalGeneration,  # noqa: E402
                          PreTrainedTokenizerFast, T5Config)
from transformers.models.musicgen_melody.configuration_musicgen_melody import MusicgenMelodyDecoderConfig  # noqa: E402

CODES, HIDDEN, LAYERS, COLUMNS = 64, 64, 1, 6
TEXT = "solo violin"


def build():
    audio = EncodecConfig(target_bandwidths=[1.2], sampling_rate=32000, audio_channels=1, normalize=False, hidden_size=8,
                          num_filters=2, num_residual_layers=1, upsampling_ratios=[8, 5, 4, 4], norm_type="weight_norm",
                          use_causal_conv=False, pad_mode="reflect", codebook_size=CODES, codebook_dim=8,
                          use_conv_shortcut=False, num_lstm_layers=2)
    text = T5Config(vocab_size=256, d_model=16, d_kv=4, d_ff=24, num_layers=1, num_heads=2, feed_forward_proj="relu")
    decoder = MusicgenMelodyDecoderConfig(vocab_size=CODES, max_position_embeddings=2048, num_hidden_layers=LAYERS,
                                          ffn_dim=96, num_attention_heads=1, hidden_size=HIDDEN, num_codebooks=4,
                                          audio_channels=1, pad_token_id=CODES, bos_token_id=CODES)
    config = MusicgenMelodyConfig(text_encoder=text.to_dict(), audio_encoder=audio.to_dict(), decoder=decoder.to_dict())
    model = MusicgenMelodyForConditionalGeneration(config).eval()
    chance = torch.Generator().manual_seed(20)
    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters()):
            noise = torch.randn(parameter.shape, generator=chance)
            if "norm" in name and name.endswith("weight"):
                parameter.copy_(1.0 + 0.1 * noise)
            elif name.endswith(("original0", "weight_g")):
                parameter.copy_(1.0 + 0.1 * noise)
            elif parameter.dim() >= 2:
                parameter.copy_(noise / math.sqrt(parameter.shape[-1]))
            else:
                parameter.copy_(0.1 * noise)
            if name.startswith(("decoder.", "enc_to_dec", "audio_enc")):
                parameter.copy_(parameter.half().float())
        for layer in model.audio_encoder.quantizer.layers:
            layer.codebook.embed.copy_(torch.randn(layer.codebook.embed.shape, generator=chance))
    return model


def language_model(model):
    """The state dict as audiocraft's LMModel has it."""
    state = collections.OrderedDict()
    own = model.state_dict()
    root = "decoder.model.decoder"
    for k in range(4):
        state[f"emb.{k}.weight"] = own[f"{root}.embed_tokens.{k}.weight"]
    for i in range(LAYERS):
        at, to = f"{root}.layers.{i}", f"transformer.layers.{i}"
        parts = [own[f"{at}.self_attn.{part}_proj.weight"] for part in "qkv"]
        state[f"{to}.self_attn.in_proj_weight"] = torch.cat(parts)
        state[f"{to}.self_attn.out_proj.weight"] = own[f"{at}.self_attn.out_proj.weight"]
        state[f"{to}.linear1.weight"] = own[f"{at}.fc1.weight"]
        state[f"{to}.linear2.weight"] = own[f"{at}.fc2.weight"]
        for leaf in ("weight", "bias"):
            state[f"{to}.norm1.{leaf}"] = own[f"{at}.self_attn_layer_norm.{leaf}"]
            state[f"{to}.norm2.{leaf}"] = own[f"{at}.final_layer_norm.{leaf}"]
    for leaf in ("weight", "bias"):
        state[f"out_norm.{leaf}"] = own[f"{root}.layer_norm.{leaf}"]
        state[f"condition_provider.conditioners.description.output_proj.{leaf}"] = own[f"enc_to_dec_proj.{leaf}"]
        state[f"condition_provider.conditioners.self_wav.output_proj.{leaf}"] = own[f"audio_enc_to_dec_proj.{leaf}"]
    for k in range(4):
        state[f"linears.{k}.weight"] = own[f"decoder.lm_heads.{k}.weight"]
    state["condition_provider.conditioners.self_wav.chroma.spec.window"] = torch.hann_window(16384)
    state = collections.OrderedDict((name, tensor.half().contiguous()) for name, tensor in state.items())
    state._metadata = collections.OrderedDict([("", {"version": 1})])  # as torch's own state dicts have
    return state


def codec(model):
    """The state dict as audiocraft's EncodecModel has it."""
    state = collections.OrderedDict()
    for name, tensor in model.audio_encoder.state_dict().items():
        name = name.replace("parametrizations.weight.original0", "weight_g")
        name = name.replace("parametrizations.weight.original1", "weight_v")
        parts = name.split(".")
        if parts[0] == "quantizer":
            state[f"quantizer.vq.layers.{parts[2]}._codebook.{parts[4]}"] = tensor.clone()
            continue
        layer, rest = int(parts[2]), parts[3:]
        if rest[-1] not in ("weight_g", "weight_v", "bias") and "lstm" not in rest:
            continue
        if "conv" in rest:
            kind = "convtr" if parts[0] == "decoder" and layer in (3, 6, 9, 12) else "conv"
            rest = [part for old in rest for part in ([kind, kind] if old == "conv" else [old])]
        state[".".join([parts[0], "model", str(layer), *rest])] = tensor.clone()
    state._metadata = collections.OrderedDict([("", {"version": 1})])
    return state


def main(folder, tokenizer_folder):
    torch.set_num_threads(1)
    text_folder = os.path.join(folder, "t5-base")
    os.makedirs(text_folder, exist_ok=True)
    model = build()
    settings = "transformer_lm:\n  dim: 64\n  num_heads: 1\n"
    torch.save({"best_state": language_model(model), "xp.cfg": settings, "version": "1.3.0", "exported": True},
               os.path.join(folder, "state_dict.bin"))
    torch.save({"best_state": codec(model), "xp.cfg": "sample_rate: 32000\n", "version": "1.3.0", "exported": True},
               os.path.join(folder, "compression_state_dict.bin"))
    encoder = {name: tensor.clone() for name, tensor in model.text_encoder.state_dict().items() if "embed_tokens" not in name}
    # The published t5-base holds its decoder, too.
    encoder["decoder.final_layer_norm.weight"] = torch.ones(16)
    save_file(encoder, os.path.join(text_folder, "model.safetensors"), metadata={"format": "pt"})
    settings = model.config.text_encoder.to_dict()
    with open(os.path.join(text_folder, "config.json"), "w") as file:
        json.dump({key: settings[key] for key in ("model_type", "vocab_size", "d_model", "d_kv", "d_ff", "num_layers", "num_heads",
                                                  "feed_forward_proj", "layer_norm_epsilon", "pad_token_id",
                                                  "relative_attention_num_buckets", "relative_attention_max_distance")}, file, indent=1)
    shutil.copy(os.path.join(tokenizer_folder, "tokenizer.json"), text_folder)
    with torch.no_grad():
        ids = torch.tensor([PreTrainedTokenizerFast.from_pretrained(tokenizer_folder)(TEXT).input_ids])
        chroma = torch.zeros(1, 235, 12)
        chroma[0, torch.arange(235), torch.arange(235) // 20 % 12] = 1.0
        words = model.enc_to_dec_proj(model.text_encoder(input_ids=ids).last_hidden_state)
        prefix = torch.cat([model.audio_enc_to_dec_proj(chroma), words], dim=1)
        columns = torch.randint(0, CODES, (4, COLUMNS), generator=torch.Generator().manual_seed(3))
        logits = model.decoder(input_ids=columns, encoder_hidden_states=prefix, use_cache=False).logits
        wave = model.audio_encoder.decode(columns[None, None], [None]).audio_values[0]
    save_file({"columns": columns.int(), "logits": logits[:, -COLUMNS:].contiguous(), "wave": wave.contiguous()},
              os.path.join(folder, "reference.safetensors"))
    for path, _, files in os.walk(folder):
        [os.chmod(os.path.join(path, name), 0o644) for name in files]


main(*sys.argv[1:])
