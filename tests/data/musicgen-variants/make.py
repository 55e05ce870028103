#!/usr/bin/env python3
"""Random codecs and text encoders of odd shapes, and what Hugging Face `transformers` computes with them.

Needs torch, transformers 5.23.0 and safetensors. Usage: python make.py
Writes one file a variant: weights by their names in a checkpoint, inputs and outputs below `reference.`, sizes as JSON in the
file's metadata. Nothing is downloaded; every weight is random, from a fixed seed.
"""
import json
import math
import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from safetensors.torch import save_file
from transformers import EncodecConfig, EncodecModel, T5Config, T5EncoderModel

COMMON = dict(sampling_rate=32000, audio_channels=1, normalize=False, norm_type="weight_norm")
CODECS = {
    # Dilated residual blocks, narrow kernels, one recurrent layer, an odd ratio last.
    "codec-dilated": dict(target_bandwidths=[21.0], hidden_size=6, num_filters=3, num_residual_layers=2, compress=1,
                          upsampling_ratios=[4, 2, 3], kernel_size=5, last_kernel_size=3, residual_kernel_size=3,
                          dilation_growth_rate=3, use_causal_conv=False, pad_mode="reflect", codebook_size=64,
                          codebook_dim=6, use_conv_shortcut=False, num_lstm_layers=1),
    # Causal, with convolutions around the residual blocks, silence beyond the ends, and a surplus cut off on both sides.
    "codec-causal": dict(target_bandwidths=[20.0], hidden_size=5, num_filters=4, upsampling_ratios=[3, 5],
                         use_causal_conv=True, trim_right_ratio=0.5, pad_mode="constant", codebook_size=16, codebook_dim=5,
                         use_conv_shortcut=True, num_lstm_layers=3),
    # The edge going on, and kernels longer than short signals.
    "codec-replicate": dict(target_bandwidths=[12.0], hidden_size=4, num_filters=2, upsampling_ratios=[7, 4],
                            kernel_size=9, last_kernel_size=11, residual_kernel_size=5, use_causal_conv=False,
                            pad_mode="replicate", codebook_size=32, codebook_dim=4, use_conv_shortcut=False,
                            num_lstm_layers=2),
}
FRAMES = [1, 2, 3, 4, 5, 9, 40]
SAMPLES = [1, 2, 7, 64, 301, 1000]
TEXTS = {
    "text-narrow": dict(vocab_size=90, d_model=20, d_kv=6, d_ff=30, num_layers=3, num_heads=2,
                        relative_attention_num_buckets=32, relative_attention_max_distance=128),
    "text-near": dict(vocab_size=50, d_model=16, d_kv=4, d_ff=40, num_layers=2, num_heads=5,
                      relative_attention_num_buckets=12, relative_attention_max_distance=20, layer_norm_epsilon=1e-5),
}


def randomise(model, seed):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in sorted(list(model.named_parameters()) + list(model.named_buffers())):
            leaf = name.split(".")[-1]
            if not value.is_floating_point() or leaf in ("stride", "kernel_size", "padding_total", "inited"):
                continue
            noise = torch.randn(value.shape, generator=generator)
            if leaf in ("original0", "weight_g"):
                value.copy_(1.5 + 0.2 * noise)
            elif "layer_norm" in name:
                value.copy_(1.0 + 0.1 * noise)
            elif leaf.startswith("bias"):
                value.copy_(0.1 * noise)
            elif value.dim() >= 2 and "codebook" not in name and "shared" not in name and leaf != "original1":
                value.copy_(noise / math.sqrt(value.shape[-1]))
            else:
                value.copy_(noise)


def save(name, prefix, model, config, reference):
    tensors = {}
    for key, value in model.state_dict().items():
        key = key.replace("parametrizations.weight.original0", "weight_g")
        key = key.replace("parametrizations.weight.original1", "weight_v")
        if "embed_avg" in key or "cluster_size" in key or "inited" in key or "embed_tokens" in key:
            continue
        tensors[f"{prefix}.{key}"] = value.contiguous()
    tensors.update({f"reference.{key}": value.contiguous() for key, value in reference.items()})
    folder = os.path.dirname(os.path.abspath(__file__))
    path = os.path.join(folder, f"{name}.safetensors")
    save_file(tensors, path, metadata={"config": json.dumps(config)})
    print(name, os.path.getsize(path))


def main():
    torch.set_num_threads(1)
    for seed, (name, sizes) in enumerate(CODECS.items()):
        config = {**COMMON, **sizes}
        model = EncodecModel(EncodecConfig(**config)).eval()
        randomise(model, 100 + seed)
        generator = torch.Generator().manual_seed(200 + seed)
        books = model.config.num_quantizers
        hop = model.config.hop_length
        reference = {}
        with torch.no_grad():
            for frames in FRAMES:
                codes = torch.randint(0, model.config.codebook_size, (1, 1, books, frames), generator=generator)
                wav = model.decoder(model.quantizer.decode(codes[0].transpose(0, 1)))
                assert wav.shape[-1] == frames * hop
                reference[f"decode.{frames}.codes"] = codes[0, 0].int()
                reference[f"decode.{frames}.wav"] = wav[0]
            for samples in SAMPLES:
                wav = 0.5 * torch.randn(1, 1, samples, generator=generator)
                embeddings = model.encoder(wav)
                codes = model.quantizer.encode(embeddings, config["target_bandwidths"][-1])
                reference[f"encode.{samples}.wav"] = wav[0, 0]
                reference[f"encode.{samples}.embeddings"] = embeddings[0]
                reference[f"encode.{samples}.codes"] = codes[:, 0].int()
        save(name, "audio_encoder", model, config, reference)
    for seed, (name, sizes) in enumerate(TEXTS.items()):
        model = T5EncoderModel(T5Config(feed_forward_proj="relu", **sizes)).eval()
        randomise(model, 300 + seed)
        embedding = model.get_input_embeddings()
        model.encoder.embed_tokens.weight.data.copy_(embedding.weight.data)
        generator = torch.Generator().manual_seed(400 + seed)
        reference = {}
        with torch.no_grad():
            for length in (1, 5, 300):
                ids = torch.randint(0, sizes["vocab_size"], (3, length), generator=generator)
                mask = torch.ones_like(ids)
                mask[1, length // 2 + 1:] = 0
                mask[2, :] = 0
                states = model(input_ids=ids, attention_mask=mask).last_hidden_state
                reference[f"{length}.ids"] = ids.int()
                reference[f"{length}.mask"] = mask.int()
                reference[f"{length}.states"] = states
        save(name, "text_encoder", model, dict(sizes, feed_forward_proj="relu"), reference)


if __name__ == "__main__":
    main()
